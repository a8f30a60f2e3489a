# ruff: noqa: E501
"""Polish templates."""

GREETING = "Szanowni Państwo, {{ contact.name }},"
CLOSING = "Z poważaniem\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Państwa konto, na którym można odpowiedzieć w sprawie każdej pozycji: {{ page_url }}"

LABELS = {
    "number": "Numer",
    "issued": "wystawiono",
    "due": "termin płatności",
    "days_late": "dni opóźnienia",
    "amount": "Kwota otwarta",
    "total": "Razem do zapłaty",
    "more": "oraz {count} dalszych pozycji: prosimy zajrzeć do wyciągu z konta",
    "statement": "Wyciąg z konta",
    "account": "Konto",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: termin płatności faktury {{ leader.number }} to {{ leader.due_date }}",
        """\
Krótkie przypomnienie przed terminem: faktura {{ leader.number }} na kwotę {{ leader.amount }} jest płatna {{ leader.due_date }}.

{{ listing }}

Jeżeli coś się nie zgadza, prosimy o informację już teraz, aby można było to wyjaśnić na czas.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: zaległość {{ total }}, faktura {{ leader.number }}",
        """\
Być może uszło to Państwa uwadze: termin płatności faktury {{ leader.number }} minął {{ leader.due_date }} i, o ile nasze wiadomości się nie minęły, nie otrzymaliśmy jeszcze zapłaty.

Konto {{ customer.number }}, {{ customer.name }}, stan na {{ today }}:

{{ listing }}

Prosimy o zapłatę w najbliższych dniach lub o informację, co stoi na przeszkodzie.""",
    ),
    "second_reminder": (
        "Drugie przypomnienie: zaległość {{ total }} wobec {{ sender.name }}",
        """\
Pisaliśmy do Państwa w sprawie faktury {{ leader.number }}, która jest opóźniona już o {{ leader.days_late }} dni. Na koncie {{ customer.number }} ({{ customer.name }}) pozostaje do zapłaty:

{{ listing }}

Prosimy o podanie dnia zapłaty lub przyczyny opóźnienia: reklamację możemy wyjaśnić tylko wtedy, gdy o niej wiemy. W razie braku odpowiedzi zadzwonimy do Państwa.""",
    ),
    "third_reminder": (
        "Trzecie przypomnienie: zaległość {{ total }} od {{ leader.due_date }}",
        """\
Mimo naszych przypomnień faktura {{ leader.number }} jest opóźniona o {{ leader.days_late }} dni, a my nie otrzymaliśmy ani zapłaty, ani odpowiedzi.

{{ listing }}

Prosimy o zapłatę {{ total }} w ciągu ośmiu dni. Po tym terminie będziemy musieli przekazać sprawę dalej i możemy wstrzymać dostawy.""",
    ),
    "formal_notice": (
        "Wezwanie do zapłaty {{ total }}, konto {{ customer.number }}",
        """\
Ostateczne przedsądowe wezwanie do zapłaty

Nasze przypomnienia pozostały bez skutku. Niniejszym wzywamy do zapłaty kwoty {{ total }} w terminie ośmiu dni od otrzymania tego pisma, za następujące pozycje konta {{ customer.number }} ({{ customer.name }}), stan na {{ today }}:

{{ listing }}

W razie braku zapłaty w tym terminie skierujemy sprawę bez dalszego zawiadomienia na drogę sądową i będziemy żądać ustawowych odsetek i kosztów.""",
    ),
    "statement": (
        "Wyciąg z Państwa konta {{ customer.number }} w {{ sender.name }}",
        """\
Poniżej oraz w załączniku przesyłamy wyciąg z konta {{ customer.number }} ({{ customer.name }}), stan na {{ today }}.

{{ listing }}

Jeżeli Państwa księgi wykazują co innego, prosimy o wskazanie różnic.""",
    ),
    "promise_confirmation": (
        "Państwa płatność{% if promise.date %} z {{ promise.date }}{% endif %}: potwierdzenie",
        """\
Dziękujemy za odpowiedź. Odnotowaliśmy, że poniższe pozycje{% if promise.amount %}, razem {{ promise.amount }},{% endif %} zostaną zapłacone {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Do tego dnia nie będziemy ich przypominać.""",
    ),
    "promise_broken": (
        "Zapowiedziana płatność{% if promise.date %} na {{ promise.date }}{% endif %} nie wpłynęła",
        """\
Zapowiedzieli Państwo płatność{% if promise.amount %} w kwocie {{ promise.amount }}{% endif %} na {{ promise.date }}. Nie otrzymaliśmy jej.

{{ listing }}

Prosimy o informację, kiedy i z jakim tytułem ją wykonano, albo o zapłatę jeszcze dziś.""",
    ),
    "dispute_acknowledgement": (
        "Państwa reklamacja dotycząca konta {{ customer.number }}: sprawdzamy ją",
        """\
Odnotowaliśmy, że kwestionują Państwo poniższe pozycje{% if dispute %} ({{ dispute }}){% endif %}, i sprawdzamy sprawę. Odezwiemy się, gdy tylko będziemy wiedzieć więcej; do tego czasu nie będziemy ich przypominać.

{{ listing }}

?comment {{ comment }}

Pozycje niekwestionowane pozostają płatne w swoich terminach.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Poniższe pozycje klienta {{ customer.name }} ({{ customer.number }}) mają teraz status {{ status }}.

?comment {{ comment }}

{{ listing }}

Prosimy o podjęcie działań lub wskazanie osoby odpowiedzialnej.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: zaległość {{ total }} na koncie {{ customer.number }} (faktura {{ leader.number }}, {{ leader.due_date }}). Prosimy o zapłatę lub telefon.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Telefon do {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), prosić: {{ contact.name }}.

Najstarsza pozycja: {{ leader.number }}, {{ leader.amount }}, termin {{ leader.due_date }}, {{ leader.days_late }} dni opóźnienia.

{{ listing }}

Zapytać o: datę zapłaty dla każdej pozycji, przyczynę opóźnienia oraz reklamacje z ich numerami.""",
    ),
}
