# ruff: noqa: E501
"""Croatian templates."""

GREETING = "Poštovani, {{ contact.name }},"
CLOSING = "S poštovanjem,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Vaš račun kupca, gdje možete odgovoriti za svaku stavku: {{ page_url }}"

LABELS = {
    "number": "Broj",
    "issued": "izdano",
    "due": "dospijeće",
    "days_late": "dana kašnjenja",
    "amount": "Otvoreni iznos",
    "total": "Ukupno za platiti",
    "more": "i još {count} stavki: pogledajte izvod otvorenih stavki",
    "statement": "Izvod otvorenih stavki",
    "account": "Šifra kupca",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: račun {{ leader.number }} dospijeva {{ leader.due_date }}",
        """\
Kratka obavijest prije roka: račun {{ leader.number }} na iznos {{ leader.amount }} dospijeva {{ leader.due_date }}.

{{ listing }}

Ako nešto nije u redu, molimo javite nam sada kako bismo to riješili na vrijeme.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: dospjelo {{ total }}, račun {{ leader.number }}",
        """\
Možda Vam je promaklo: račun {{ leader.number }} dospio je {{ leader.due_date }} i, osim ako su se naše poruke mimoišle, još nismo primili Vašu uplatu.

Šifra kupca {{ customer.number }}, {{ customer.name }}, na dan {{ today }}:

{{ listing }}

Molimo podmirite iznos u sljedećih nekoliko dana ili nam javite što Vas u tome sprječava.""",
    ),
    "second_reminder": (
        "Druga opomena: dospjelo {{ total }} prema {{ sender.name }}",
        """\
Pisali smo Vam o računu {{ leader.number }}, koji kasni već {{ leader.days_late }} dana. Za šifru kupca {{ customer.number }} ({{ customer.name }}) i dalje je otvoreno:

{{ listing }}

Molimo javite nam dan plaćanja ili razlog kašnjenja: prigovor možemo riješiti tek kad za njega znamo. Bez odgovora ćemo Vas nazvati.""",
    ),
    "third_reminder": (
        "Treća opomena: dospjelo {{ total }} od {{ leader.due_date }}",
        """\
Unatoč našim opomenama račun {{ leader.number }} kasni {{ leader.days_late }} dana, a nismo primili ni uplatu ni odgovor.

{{ listing }}

Molimo da {{ total }} platite u roku od osam dana. Nakon toga morat ćemo predmet proslijediti i možemo obustaviti isporuke.""",
    ),
    "formal_notice": (
        "Opomena pred tužbu: {{ total }}, šifra kupca {{ customer.number }}",
        """\
Opomena pred tužbu

Naše opomene ostale su bez učinka. Ovime Vas pozivamo da iznos od {{ total }} platite u roku od osam dana od primitka ove poruke, za sljedeće stavke šifre kupca {{ customer.number }} ({{ customer.name }}), na dan {{ today }}:

{{ listing }}

Ne bude li plaćeno u tom roku, bez daljnje obavijesti pokrenut ćemo sudski postupak i potraživati zakonske kamate i troškove.""",
    ),
    "statement": (
        "Izvod otvorenih stavki {{ customer.number }} kod {{ sender.name }}",
        """\
U nastavku i u privitku nalazi se izvod otvorenih stavki za šifru kupca {{ customer.number }} ({{ customer.name }}) na dan {{ today }}.

{{ listing }}

Ako Vaše knjige pokazuju drukčije, molimo navedite stavke koje se razlikuju.""",
    ),
    "promise_confirmation": (
        "Vaša uplata{% if promise.date %} na dan {{ promise.date }}{% endif %}: potvrda",
        """\
Hvala na odgovoru. Zabilježili smo da ćete stavke u nastavku{% if promise.amount %}, ukupno {{ promise.amount }},{% endif %} platiti {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Do tada za njih nećete primati opomene.""",
    ),
    "promise_broken": (
        "Najavljena uplata{% if promise.date %} za {{ promise.date }}{% endif %} nije primljena",
        """\
Najavili ste uplatu{% if promise.amount %} od {{ promise.amount }}{% endif %} za {{ promise.date }}. Nismo je primili.

{{ listing }}

Molimo javite nam kada je i s kojim pozivom na broj izvršena ili platite danas.""",
    ),
    "dispute_acknowledgement": (
        "Vaš prigovor za šifru kupca {{ customer.number }}: provjeravamo ga",
        """\
Zabilježili smo da osporavate stavke u nastavku{% if dispute %} ({{ dispute }}){% endif %} i provjeravamo ih. Javit ćemo se čim budemo znali više; do tada za njih neće biti opomena.

{{ listing }}

?comment {{ comment }}

Stavke koje nisu osporene i dalje se plaćaju po dospijeću.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Stavke u nastavku kupca {{ customer.name }} ({{ customer.number }}) sada imaju status {{ status }}.

?comment {{ comment }}

{{ listing }}

Molimo poduzmite što je potrebno ili recite tko to treba učiniti.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: dospjelo je {{ total }}, šifra kupca {{ customer.number }} (račun {{ leader.number }}, {{ leader.due_date }}). Molimo platite ili nas nazovite.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Nazvati {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), tražiti: {{ contact.name }}.

Najstarija stavka: {{ leader.number }}, {{ leader.amount }}, dospjela {{ leader.due_date }}, {{ leader.days_late }} dana kašnjenja.

{{ listing }}

Pitati: datum plaćanja za svaku stavku, razlog kašnjenja i prigovore s njihovim brojevima.""",
    ),
}
