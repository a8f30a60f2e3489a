# ruff: noqa: E501
"""Italian templates."""

GREETING = "Gentile {{ contact.name }},"
CLOSING = "Cordiali saluti\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Il Suo conto, dove può rispondere per ogni partita: {{ page_url }}"

LABELS = {
    "number": "Numero",
    "issued": "emessa il",
    "due": "scadenza",
    "days_late": "giorni di ritardo",
    "amount": "Importo aperto",
    "total": "Totale dovuto",
    "more": "e altre {count} partite: si veda l'estratto conto",
    "statement": "Estratto conto",
    "account": "Conto",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: la fattura {{ leader.number }} scade il {{ leader.due_date }}",
        """\
Un breve promemoria: la fattura {{ leader.number }} di {{ leader.amount }} scade il {{ leader.due_date }}.

{{ listing }}

Se qualcosa non fosse corretto, La preghiamo di dircelo ora, così da poter rimediare in tempo.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} scaduti, fattura {{ leader.number }}",
        """\
Forse Le è sfuggito: la fattura {{ leader.number }} è scaduta il {{ leader.due_date }} e, salvo che i nostri messaggi si siano incrociati, non abbiamo ancora ricevuto il pagamento.

Conto {{ customer.number }}, {{ customer.name }}, al {{ today }}:

{{ listing }}

La preghiamo di pagare nei prossimi giorni o di farci sapere che cosa lo impedisce.""",
    ),
    "second_reminder": (
        "Secondo sollecito: {{ total }} scaduti presso {{ sender.name }}",
        """\
Le abbiamo scritto in merito alla fattura {{ leader.number }}, ora in ritardo di {{ leader.days_late }} giorni. Sul conto {{ customer.number }} ({{ customer.name }}) resta aperto quanto segue:

{{ listing }}

La preghiamo di comunicarci la data del pagamento o il motivo del ritardo: una contestazione si può risolvere solo se ci è nota. In mancanza di risposta La chiameremo.""",
    ),
    "third_reminder": (
        "Terzo sollecito: {{ total }} scaduti dal {{ leader.due_date }}",
        """\
Nonostante i nostri solleciti la fattura {{ leader.number }} è in ritardo di {{ leader.days_late }} giorni e non abbiamo ricevuto né pagamento né risposta.

{{ listing }}

Le chiediamo di pagare {{ total }} entro otto giorni. Trascorso questo termine dovremo affidare la pratica ad altri e potremo sospendere le forniture.""",
    ),
    "formal_notice": (
        "Messa in mora: {{ total }}, conto {{ customer.number }}",
        """\
Messa in mora

I nostri solleciti sono rimasti senza esito. Con la presente La costituiamo in mora e La invitiamo a pagare la somma di {{ total }} entro otto giorni dal ricevimento, per le seguenti partite del conto {{ customer.number }} ({{ customer.name }}), al {{ today }}:

{{ listing }}

In mancanza di pagamento entro tale termine procederemo senza altro avviso per via giudiziale e chiederemo gli interessi e le spese previsti dalla legge.""",
    ),
    "statement": (
        "Estratto del Suo conto {{ customer.number }} presso {{ sender.name }}",
        """\
Di seguito, e in allegato, trova l'estratto del conto {{ customer.number }} ({{ customer.name }}) al {{ today }}.

{{ listing }}

Se i Suoi libri riportano altro, La preghiamo di indicarci le partite diverse.""",
    ),
    "promise_confirmation": (
        "Il Suo pagamento{% if promise.date %} del {{ promise.date }}{% endif %}: conferma",
        """\
Grazie della risposta. Abbiamo annotato che pagherà le partite seguenti{% if promise.amount %}, in totale {{ promise.amount }},{% endif %} il {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Fino ad allora non riceverà solleciti per esse.""",
    ),
    "promise_broken": (
        "Pagamento annunciato{% if promise.date %} per il {{ promise.date }}{% endif %} non ricevuto",
        """\
Ci aveva annunciato un pagamento{% if promise.amount %} di {{ promise.amount }}{% endif %} per il {{ promise.date }}. Non ci è pervenuto.

{{ listing }}

La preghiamo di dirci quando è stato eseguito e con quale riferimento, oppure di eseguirlo oggi.""",
    ),
    "dispute_acknowledgement": (
        "La Sua contestazione sul conto {{ customer.number }}: la stiamo esaminando",
        """\
Abbiamo annotato che contesta le partite seguenti{% if dispute %} ({{ dispute }}){% endif %} e le stiamo esaminando. La informeremo appena ne sapremo di più; nel frattempo non saranno sollecitate.

{{ listing }}

?comment {{ comment }}

Le partite non contestate restano dovute alla scadenza.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Le partite seguenti di {{ customer.name }} ({{ customer.number }}) hanno ora lo stato {{ status }}.

?comment {{ comment }}

{{ listing }}

Si prega di fare il necessario o di indicare chi se ne occupa.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} scaduti sul conto {{ customer.number }} (fattura {{ leader.number }}, {{ leader.due_date }}). La preghiamo di pagare o di chiamarci.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Chiamare {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), chiedere di {{ contact.name }}.

Partita più vecchia: {{ leader.number }}, {{ leader.amount }}, scaduta il {{ leader.due_date }}, {{ leader.days_late }} giorni di ritardo.

{{ listing }}

Chiedere: una data di pagamento per ogni partita, il motivo del ritardo e le contestazioni con il loro numero.""",
    ),
}
