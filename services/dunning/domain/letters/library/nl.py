# ruff: noqa: E501
"""Dutch templates."""

GREETING = "Geachte {{ contact.name }},"
CLOSING = "Met vriendelijke groet,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Uw rekening, waar u per post kunt antwoorden: {{ page_url }}"

LABELS = {
    "number": "Nummer",
    "issued": "van",
    "due": "vervalt op",
    "days_late": "dagen te laat",
    "amount": "Openstaand bedrag",
    "total": "Totaal verschuldigd",
    "more": "en nog {count} posten: zie uw rekeningoverzicht",
    "statement": "Rekeningoverzicht",
    "account": "Rekening",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: factuur {{ leader.number }} vervalt op {{ leader.due_date }}",
        """\
Een kort bericht vooraf: factuur {{ leader.number }} van {{ leader.amount }} vervalt op {{ leader.due_date }}.

{{ listing }}

Klopt er iets niet, laat het ons dan nu weten, zodat het op tijd kan worden opgelost.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} vervallen, factuur {{ leader.number }}",
        """\
Misschien is het aan uw aandacht ontsnapt: factuur {{ leader.number }} is op {{ leader.due_date }} vervallen en, tenzij onze berichten elkaar hebben gekruist, hebben wij uw betaling nog niet ontvangen.

Rekening {{ customer.number }}, {{ customer.name }}, op {{ today }}:

{{ listing }}

Wilt u binnen enkele dagen betalen, of ons laten weten wat u daarvan weerhoudt?""",
    ),
    "second_reminder": (
        "Tweede herinnering: {{ total }} vervallen bij {{ sender.name }}",
        """\
Wij schreven u over factuur {{ leader.number }}, die nu {{ leader.days_late }} dagen te laat is. Op rekening {{ customer.number }} ({{ customer.name }}) staat nog open:

{{ listing }}

Laat ons per omgaande weten op welke dag u betaalt of wat de reden van de vertraging is: een geschil kunnen wij pas oplossen als wij ervan weten. Zonder antwoord bellen wij u.""",
    ),
    "third_reminder": (
        "Derde herinnering: {{ total }} vervallen sinds {{ leader.due_date }}",
        """\
Ondanks onze herinneringen is factuur {{ leader.number }} {{ leader.days_late }} dagen te laat en hebben wij geen betaling en geen antwoord ontvangen.

{{ listing }}

Wij verzoeken u {{ total }} binnen acht dagen te betalen. Daarna moeten wij het dossier overdragen en kunnen wij leveringen opschorten.""",
    ),
    "formal_notice": (
        "Ingebrekestelling: {{ total }}, rekening {{ customer.number }}",
        """\
Ingebrekestelling

Onze herinneringen zijn zonder gevolg gebleven. Hierbij stellen wij u in gebreke en sommeren wij u het bedrag van {{ total }} binnen acht dagen na ontvangst van dit bericht te betalen, voor de volgende posten van rekening {{ customer.number }} ({{ customer.name }}), op {{ today }}:

{{ listing }}

Blijft betaling binnen die termijn uit, dan vorderen wij het bedrag zonder verdere aankondiging in rechte, met de wettelijke rente en kosten.""",
    ),
    "statement": (
        "Overzicht van uw rekening {{ customer.number }} bij {{ sender.name }}",
        """\
Hieronder en in de bijlage vindt u het overzicht van rekening {{ customer.number }} ({{ customer.name }}) op {{ today }}.

{{ listing }}

Zegt uw administratie iets anders, laat ons dan weten welke posten verschillen.""",
    ),
    "promise_confirmation": (
        "Uw betaling{% if promise.date %} van {{ promise.date }}{% endif %}: bevestiging",
        """\
Dank u voor uw antwoord. Wij hebben genoteerd dat u de onderstaande posten{% if promise.amount %}, samen {{ promise.amount }},{% endif %} op {{ promise.date }} betaalt.

{{ listing }}

?comment {{ comment }}

Tot dan ontvangt u hierover geen herinneringen.""",
    ),
    "promise_broken": (
        "Aangekondigde betaling{% if promise.date %} voor {{ promise.date }}{% endif %} niet ontvangen",
        """\
U kondigde een betaling{% if promise.amount %} van {{ promise.amount }}{% endif %} aan voor {{ promise.date }}. Wij hebben die niet ontvangen.

{{ listing }}

Laat ons per omgaande weten wanneer en met welk kenmerk is betaald, of betaal vandaag.""",
    ),
    "dispute_acknowledgement": (
        "Uw geschil over rekening {{ customer.number }}: wij onderzoeken het",
        """\
Wij hebben genoteerd dat u de onderstaande posten betwist{% if dispute %} ({{ dispute }}){% endif %} en onderzoeken dit. U hoort van ons zodra wij meer weten; intussen worden deze posten niet aangemaand.

{{ listing }}

?comment {{ comment }}

Posten die u niet betwist, blijven op hun vervaldag verschuldigd.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
De onderstaande posten van {{ customer.name }} ({{ customer.number }}) hebben nu de status {{ status }}.

?comment {{ comment }}

{{ listing }}

Doe wat nodig is, of zeg wie dat moet doen.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} vervallen op rekening {{ customer.number }} (factuur {{ leader.number }}, {{ leader.due_date }}). Wilt u betalen of ons bellen?{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "{{ customer.name }} bellen: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), vragen naar {{ contact.name }}.

Oudste post: {{ leader.number }}, {{ leader.amount }}, vervallen op {{ leader.due_date }}, {{ leader.days_late }} dagen te laat.

{{ listing }}

Vragen naar: een betaaldatum per post, de reden van de vertraging en geschillen met hun nummer.""",
    ),
}
