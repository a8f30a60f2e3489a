# ruff: noqa: E501
"""Romanian templates."""

GREETING = "Stimate/Stimată {{ contact.name }},"
CLOSING = "Cu stimă,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Contul dumneavoastră, unde puteți răspunde pentru fiecare document: {{ page_url }}"

LABELS = {
    "number": "Număr",
    "issued": "emisă la",
    "due": "scadentă la",
    "days_late": "zile de întârziere",
    "amount": "Sold deschis",
    "total": "Total de plată",
    "more": "și încă {count} documente: vedeți extrasul de cont",
    "statement": "Extras de cont",
    "account": "Cont",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: factura {{ leader.number }} este scadentă la {{ leader.due_date }}",
        """\
Un scurt mesaj înainte de scadență: factura {{ leader.number }} în valoare de {{ leader.amount }} este scadentă la {{ leader.due_date }}.

{{ listing }}

Dacă ceva nu este în regulă, vă rugăm să ne spuneți acum, ca să putem remedia la timp.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} restanți, factura {{ leader.number }}",
        """\
Poate v-a scăpat din vedere: factura {{ leader.number }} a fost scadentă la {{ leader.due_date }} și, dacă mesajele noastre nu s-au încrucișat, nu am primit încă plata.

Cont {{ customer.number }}, {{ customer.name }}, la {{ today }}:

{{ listing }}

Vă rugăm să plătiți în zilele următoare sau să ne spuneți ce vă împiedică.""",
    ),
    "second_reminder": (
        "A doua înștiințare: {{ total }} restanți la {{ sender.name }}",
        """\
V-am scris despre factura {{ leader.number }}, acum cu {{ leader.days_late }} zile de întârziere. Pe contul {{ customer.number }} ({{ customer.name }}) rămân deschise:

{{ listing }}

Vă rugăm să ne comunicați data plății sau motivul întârzierii: o contestație poate fi rezolvată doar dacă o cunoaștem. Fără un răspuns vă vom suna.""",
    ),
    "third_reminder": (
        "A treia înștiințare: {{ total }} restanți din {{ leader.due_date }}",
        """\
În ciuda înștiințărilor noastre, factura {{ leader.number }} are {{ leader.days_late }} zile de întârziere și nu am primit nici plata, nici un răspuns.

{{ listing }}

Vă rugăm să plătiți {{ total }} în termen de opt zile. După aceea va trebui să transmitem dosarul mai departe și putem suspenda livrările.""",
    ),
    "formal_notice": (
        "Somație de plată: {{ total }}, cont {{ customer.number }}",
        """\
Somație de plată

Înștiințările noastre au rămas fără efect. Prin prezenta vă somăm să plătiți suma de {{ total }} în termen de opt zile de la primirea acestui mesaj, pentru următoarele documente din contul {{ customer.number }} ({{ customer.name }}), la {{ today }}:

{{ listing }}

În lipsa plății în acest termen vom acționa în justiție fără altă înștiințare și vom cere dobânzile și cheltuielile prevăzute de lege.""",
    ),
    "statement": (
        "Extrasul contului dumneavoastră {{ customer.number }} la {{ sender.name }}",
        """\
Mai jos și în anexă găsiți extrasul contului {{ customer.number }} ({{ customer.name }}) la {{ today }}.

{{ listing }}

Dacă evidențele dumneavoastră arată altceva, vă rugăm să ne indicați documentele care diferă.""",
    ),
    "promise_confirmation": (
        "Plata dumneavoastră{% if promise.date %} din {{ promise.date }}{% endif %}: confirmare",
        """\
Vă mulțumim pentru răspuns. Am notat că veți plăti documentele de mai jos{% if promise.amount %}, în total {{ promise.amount }},{% endif %} la {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Până atunci nu veți primi înștiințări pentru ele.""",
    ),
    "promise_broken": (
        "Plata anunțată{% if promise.date %} pentru {{ promise.date }}{% endif %} nu a fost primită",
        """\
Ne-ați anunțat o plată{% if promise.amount %} de {{ promise.amount }}{% endif %} pentru {{ promise.date }}. Nu am primit-o.

{{ listing }}

Vă rugăm să ne spuneți când a fost făcută și cu ce referință sau să o efectuați astăzi.""",
    ),
    "dispute_acknowledgement": (
        "Contestația dumneavoastră privind contul {{ customer.number }}: o analizăm",
        """\
Am notat că ați contestat documentele de mai jos{% if dispute %} ({{ dispute }}){% endif %} și le analizăm. Revenim de îndată ce știm mai multe; între timp nu veți primi înștiințări pentru ele.

{{ listing }}

?comment {{ comment }}

Documentele necontestate rămân de plată la scadență.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Documentele de mai jos ale clientului {{ customer.name }} ({{ customer.number }}) au acum starea {{ status }}.

?comment {{ comment }}

{{ listing }}

Vă rugăm să faceți ce este necesar sau să spuneți cui îi revine.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} restanți pe contul {{ customer.number }} (factura {{ leader.number }}, {{ leader.due_date }}). Vă rugăm să plătiți sau să ne sunați.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Sunați {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), cereți să vorbiți cu {{ contact.name }}.

Cel mai vechi document: {{ leader.number }}, {{ leader.amount }}, scadent la {{ leader.due_date }}, {{ leader.days_late }} zile de întârziere.

{{ listing }}

Întrebați: o dată de plată pentru fiecare document, motivul întârzierii și contestațiile cu numărul lor.""",
    ),
}
