# ruff: noqa: E501
"""German templates."""

GREETING = "Guten Tag {{ contact.name }},"
CLOSING = "Mit freundlichen Grüßen\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Ihr Konto, auf dem Sie zu jedem Posten antworten können: {{ page_url }}"

LABELS = {
    "number": "Nummer",
    "issued": "vom",
    "due": "fällig am",
    "days_late": "Tage überfällig",
    "amount": "Offener Betrag",
    "total": "Gesamtbetrag",
    "more": "und {count} weitere Posten: siehe Ihren Kontoauszug",
    "statement": "Kontoauszug",
    "account": "Konto",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: Rechnung {{ leader.number }} wird am {{ leader.due_date }} fällig",
        """\
Ein kurzer Hinweis vorab: Die Rechnung {{ leader.number }} über {{ leader.amount }} wird am {{ leader.due_date }} fällig.

{{ listing }}

Sollte etwas nicht stimmen, sagen Sie es uns bitte jetzt, damit es rechtzeitig geklärt werden kann.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} überfällig, Rechnung {{ leader.number }}",
        """\
Vielleicht ist es Ihrer Aufmerksamkeit entgangen: Die Rechnung {{ leader.number }} war am {{ leader.due_date }} fällig. Sofern sich unsere Nachrichten nicht gekreuzt haben, ist Ihre Zahlung noch nicht bei uns eingegangen.

Konto {{ customer.number }}, {{ customer.name }}, Stand {{ today }}:

{{ listing }}

Bitte zahlen Sie in den nächsten Tagen oder teilen Sie uns mit, was Sie daran hindert.""",
    ),
    "second_reminder": (
        "Zweite Mahnung: {{ total }} überfällig bei {{ sender.name }}",
        """\
Wir haben Ihnen wegen der Rechnung {{ leader.number }} geschrieben, die jetzt seit {{ leader.days_late }} Tagen überfällig ist. Auf dem Konto {{ customer.number }} ({{ customer.name }}) ist weiterhin offen:

{{ listing }}

Bitte nennen Sie uns umgehend den Tag Ihrer Zahlung oder den Grund der Verzögerung: Eine Beanstandung können wir erst klären, wenn wir sie kennen. Ohne Antwort werden wir Sie anrufen.""",
    ),
    "third_reminder": (
        "Dritte Mahnung: {{ total }} überfällig seit {{ leader.due_date }}",
        """\
Trotz unserer Mahnungen ist die Rechnung {{ leader.number }} seit {{ leader.days_late }} Tagen überfällig; wir haben weder eine Zahlung noch eine Antwort erhalten.

{{ listing }}

Wir bitten Sie, {{ total }} innerhalb von acht Tagen zu zahlen. Danach müssen wir den Vorgang abgeben und können Lieferungen aussetzen.""",
    ),
    "formal_notice": (
        "Letzte Mahnung mit Fristsetzung: {{ total }}, Konto {{ customer.number }}",
        """\
Letzte Mahnung mit Fristsetzung

Unsere Mahnungen sind ohne Erfolg geblieben. Wir fordern Sie hiermit auf, den Betrag von {{ total }} innerhalb von acht Tagen nach Erhalt dieses Schreibens zu zahlen, und zwar für folgende Posten des Kontos {{ customer.number }} ({{ customer.name }}), Stand {{ today }}:

{{ listing }}

Nach fruchtlosem Ablauf der Frist werden wir die Forderung ohne weitere Ankündigung gerichtlich geltend machen und die gesetzlichen Zinsen und Kosten verlangen.""",
    ),
    "statement": (
        "Auszug Ihres Kontos {{ customer.number }} bei {{ sender.name }}",
        """\
Nachstehend und in der Anlage erhalten Sie den Auszug des Kontos {{ customer.number }} ({{ customer.name }}), Stand {{ today }}.

{{ listing }}

Sollten Ihre Bücher etwas anderes zeigen, nennen Sie uns bitte die abweichenden Posten.""",
    ),
    "promise_confirmation": (
        "Ihre Zahlung{% if promise.date %} vom {{ promise.date }}{% endif %}: Bestätigung",
        """\
Vielen Dank für Ihre Antwort. Wir haben notiert, dass Sie die folgenden Posten{% if promise.amount %}, insgesamt {{ promise.amount }},{% endif %} am {{ promise.date }} zahlen werden.

{{ listing }}

?comment {{ comment }}

Bis dahin werden sie nicht angemahnt.""",
    ),
    "promise_broken": (
        "Angekündigte Zahlung{% if promise.date %} zum {{ promise.date }}{% endif %} nicht eingegangen",
        """\
Sie hatten uns eine Zahlung{% if promise.amount %} von {{ promise.amount }}{% endif %} zum {{ promise.date }} angekündigt. Sie ist nicht bei uns eingegangen.

{{ listing }}

Bitte teilen Sie uns umgehend Datum und Verwendungszweck der Überweisung mit, oder zahlen Sie heute.""",
    ),
    "dispute_acknowledgement": (
        "Ihre Beanstandung zum Konto {{ customer.number }}: wir prüfen sie",
        """\
Wir haben notiert, dass Sie die folgenden Posten beanstanden{% if dispute %} ({{ dispute }}){% endif %}, und prüfen den Vorgang. Sobald wir mehr wissen, hören Sie von uns; bis dahin werden diese Posten nicht angemahnt.

{{ listing }}

?comment {{ comment }}

Nicht beanstandete Posten bleiben zu ihrer Fälligkeit zahlbar.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Die folgenden Posten von {{ customer.name }} ({{ customer.number }}) haben jetzt den Status {{ status }}.

?comment {{ comment }}

{{ listing }}

Bitte veranlassen Sie das Nötige oder nennen Sie uns die zuständige Person.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} auf Konto {{ customer.number }} überfällig (Rechnung {{ leader.number }}, {{ leader.due_date }}). Bitte zahlen Sie oder rufen Sie uns an.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "{{ customer.name }} anrufen: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), {{ contact.name }} verlangen.

Ältester Posten: {{ leader.number }}, {{ leader.amount }}, fällig am {{ leader.due_date }}, {{ leader.days_late }} Tage überfällig.

{{ listing }}

Erfragen: ein Zahlungsdatum je Posten, den Grund der Verzögerung und Beanstandungen mit ihrer Nummer.""",
    ),
}
