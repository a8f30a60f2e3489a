# ruff: noqa: E501
"""Swedish templates."""

GREETING = "Hej {{ contact.name }},"
CLOSING = "Med vänliga hälsningar\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Ert konto, där ni kan svara post för post: {{ page_url }}"

LABELS = {
    "number": "Nummer",
    "issued": "utställd",
    "due": "förfaller",
    "days_late": "dagar försenad",
    "amount": "Öppet belopp",
    "total": "Att betala totalt",
    "more": "och ytterligare {count} poster: se ert kontoutdrag",
    "statement": "Kontoutdrag",
    "account": "Konto",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: faktura {{ leader.number }} förfaller den {{ leader.due_date }}",
        """\
En kort påminnelse i förväg: faktura {{ leader.number }} på {{ leader.amount }} förfaller den {{ leader.due_date }}.

{{ listing }}

Om något inte stämmer, hör gärna av er nu så att det hinner rättas till.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} förfallet, faktura {{ leader.number }}",
        """\
Det kan ha undgått er: faktura {{ leader.number }} förföll den {{ leader.due_date }} och om inte våra meddelanden har korsats har vi ännu inte fått er betalning.

Konto {{ customer.number }}, {{ customer.name }}, den {{ today }}:

{{ listing }}

Vänligen betala inom de närmaste dagarna eller berätta vad som hindrar er.""",
    ),
    "second_reminder": (
        "Andra påminnelsen: {{ total }} förfallet hos {{ sender.name }}",
        """\
Vi har skrivit till er om faktura {{ leader.number }}, som nu är {{ leader.days_late }} dagar försenad. På konto {{ customer.number }} ({{ customer.name }}) är följande fortfarande obetalt:

{{ listing }}

Vänligen meddela vilken dag ni betalar eller skälet till förseningen: en tvist kan vi lösa först när vi känner till den. Utan svar ringer vi er.""",
    ),
    "third_reminder": (
        "Tredje påminnelsen: {{ total }} förfallet sedan {{ leader.due_date }}",
        """\
Trots våra påminnelser är faktura {{ leader.number }} {{ leader.days_late }} dagar försenad, och vi har varken fått betalning eller svar.

{{ listing }}

Vi ber er betala {{ total }} inom åtta dagar. Därefter måste vi lämna ärendet vidare och kan ställa in leveranser.""",
    ),
    "formal_notice": (
        "Betalningskrav: {{ total }}, konto {{ customer.number }}",
        """\
Betalningskrav

Våra påminnelser har inte gett resultat. Vi kräver härmed betalning av {{ total }} inom åtta dagar från mottagandet av detta meddelande, för följande poster på konto {{ customer.number }} ({{ customer.name }}), den {{ today }}:

{{ listing }}

Om betalning inte sker inom denna tid vidtar vi rättsliga åtgärder utan ytterligare avisering och begär ränta och kostnader enligt lag.""",
    ),
    "statement": (
        "Utdrag för ert konto {{ customer.number }} hos {{ sender.name }}",
        """\
Nedan och i bilagan finns utdraget för konto {{ customer.number }} ({{ customer.name }}) den {{ today }}.

{{ listing }}

Om er bokföring visar något annat, meddela oss vilka poster som skiljer sig.""",
    ),
    "promise_confirmation": (
        "Er betalning{% if promise.date %} den {{ promise.date }}{% endif %}: bekräftelse",
        """\
Tack för ert svar. Vi har noterat att ni betalar posterna nedan{% if promise.amount %}, sammanlagt {{ promise.amount }},{% endif %} den {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Till dess får ni inga påminnelser om dem.""",
    ),
    "promise_broken": (
        "Utlovad betalning{% if promise.date %} till {{ promise.date }}{% endif %} har inte kommit",
        """\
Ni meddelade en betalning{% if promise.amount %} på {{ promise.amount }}{% endif %} till den {{ promise.date }}. Den har inte nått oss.

{{ listing }}

Meddela oss när och med vilken referens den gjordes, eller betala i dag.""",
    ),
    "dispute_acknowledgement": (
        "Er invändning på konto {{ customer.number }}: vi utreder den",
        """\
Vi har noterat att ni bestrider posterna nedan{% if dispute %} ({{ dispute }}){% endif %} och utreder detta. Vi hör av oss så snart vi vet mer; under tiden skickas inga påminnelser om dem.

{{ listing }}

?comment {{ comment }}

Poster som inte bestrids ska betalas på förfallodagen.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Posterna nedan för {{ customer.name }} ({{ customer.number }}) har nu statusen {{ status }}.

?comment {{ comment }}

{{ listing }}

Gör det som behövs eller säg vem som ska göra det.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} är förfallet på konto {{ customer.number }} (faktura {{ leader.number }}, {{ leader.due_date }}). Vänligen betala eller ring oss.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Ring {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), tala med {{ contact.name }}.

Äldsta post: {{ leader.number }}, {{ leader.amount }}, förföll den {{ leader.due_date }}, {{ leader.days_late }} dagar försenad.

{{ listing }}

Fråga efter: en betalningsdag för varje post, skälet till förseningen och invändningar med nummer.""",
    ),
}
