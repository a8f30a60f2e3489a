# ruff: noqa: E501
"""Brazilian Portuguese templates."""

GREETING = "Prezado(a) {{ contact.name }},"
CLOSING = "Atenciosamente,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Sua conta, onde você pode responder a cada título: {{ page_url }}"

LABELS = {
    "number": "Número",
    "issued": "emitida em",
    "due": "vencimento",
    "days_late": "dias de atraso",
    "amount": "Saldo em aberto",
    "total": "Total em aberto",
    "more": "e mais {count} títulos: veja o seu extrato",
    "statement": "Extrato de conta",
    "account": "Conta",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: a fatura {{ leader.number }} vence em {{ leader.due_date }}",
        """\
Um lembrete antes da data: a fatura {{ leader.number }}, no valor de {{ leader.amount }}, vence em {{ leader.due_date }}.

{{ listing }}

Se algo não estiver certo, avise-nos agora para que possamos resolver a tempo.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} em atraso, fatura {{ leader.number }}",
        """\
Talvez tenha passado despercebido: a fatura {{ leader.number }} venceu em {{ leader.due_date }} e, a menos que nossas mensagens tenham se cruzado, ainda não recebemos o seu pagamento.

Conta {{ customer.number }}, {{ customer.name }}, em {{ today }}:

{{ listing }}

Pedimos que efetue o pagamento nos próximos dias ou nos diga o que o impede.""",
    ),
    "second_reminder": (
        "Segundo aviso: {{ total }} em atraso com {{ sender.name }}",
        """\
Escrevemos a respeito da fatura {{ leader.number }}, agora com {{ leader.days_late }} dias de atraso. Na conta {{ customer.number }} ({{ customer.name }}) continua em aberto:

{{ listing }}

Responda informando a data do pagamento ou o motivo do atraso: uma contestação só pode ser resolvida se a conhecermos. Sem resposta, entraremos em contato por telefone.""",
    ),
    "third_reminder": (
        "Terceiro aviso: {{ total }} em atraso desde {{ leader.due_date }}",
        """\
Apesar dos nossos avisos, a fatura {{ leader.number }} está com {{ leader.days_late }} dias de atraso e não recebemos pagamento nem resposta.

{{ listing }}

Pedimos o pagamento de {{ total }} em até oito dias. Depois disso teremos de encaminhar o caso e poderemos suspender os fornecimentos.""",
    ),
    "formal_notice": (
        "Notificação extrajudicial: {{ total }}, conta {{ customer.number }}",
        """\
Notificação extrajudicial

Nossos avisos não tiveram efeito. Fica o(a) senhor(a) notificado(a) a pagar a quantia de {{ total }} no prazo de oito dias do recebimento desta mensagem, referente aos seguintes títulos da conta {{ customer.number }} ({{ customer.name }}), em {{ today }}:

{{ listing }}

Na falta de pagamento nesse prazo, tomaremos sem outro aviso as medidas judiciais cabíveis e cobraremos os juros e as despesas previstos em lei.""",
    ),
    "statement": (
        "Extrato da sua conta {{ customer.number }} com {{ sender.name }}",
        """\
Segue abaixo, e em anexo, o extrato da conta {{ customer.number }} ({{ customer.name }}) em {{ today }}.

{{ listing }}

Se os seus registros mostrarem outra coisa, informe-nos quais títulos divergem.""",
    ),
    "promise_confirmation": (
        "Seu pagamento{% if promise.date %} de {{ promise.date }}{% endif %}: confirmação",
        """\
Obrigado pela resposta. Registramos que você pagará os títulos abaixo{% if promise.amount %}, no total de {{ promise.amount }},{% endif %} em {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Até lá você não receberá avisos sobre eles.""",
    ),
    "promise_broken": (
        "Pagamento anunciado{% if promise.date %} para {{ promise.date }}{% endif %} não recebido",
        """\
Você nos anunciou um pagamento{% if promise.amount %} de {{ promise.amount }}{% endif %} para {{ promise.date }}. Ele não chegou.

{{ listing }}

Informe-nos quando foi feito e com qual referência, ou efetue-o hoje.""",
    ),
    "dispute_acknowledgement": (
        "Sua contestação na conta {{ customer.number }}: estamos analisando",
        """\
Registramos que você contesta os títulos abaixo{% if dispute %} ({{ dispute }}){% endif %} e estamos analisando. Daremos retorno assim que soubermos mais; enquanto isso eles não serão cobrados.

{{ listing }}

?comment {{ comment }}

Os títulos não contestados continuam devidos no vencimento.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Os títulos abaixo de {{ customer.name }} ({{ customer.number }}) agora têm o status {{ status }}.

?comment {{ comment }}

{{ listing }}

Faça o necessário ou diga a quem cabe.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} em atraso na conta {{ customer.number }} (fatura {{ leader.number }}, {{ leader.due_date }}). Por favor, pague ou ligue para nós.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Ligar para {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), falar com {{ contact.name }}.

Título mais antigo: {{ leader.number }}, {{ leader.amount }}, vencido em {{ leader.due_date }}, {{ leader.days_late }} dias de atraso.

{{ listing }}

Perguntar: uma data de pagamento por título, o motivo do atraso e as contestações com seu número.""",
    ),
}
