# ruff: noqa: E501
"""Portuguese templates."""

GREETING = "Exmo.(a) Senhor(a) {{ contact.name }},"
CLOSING = "Com os melhores cumprimentos,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "A sua conta, onde pode responder documento a documento: {{ page_url }}"

LABELS = {
    "number": "Número",
    "issued": "emitida em",
    "due": "vencimento",
    "days_late": "dias de atraso",
    "amount": "Valor em aberto",
    "total": "Total em dívida",
    "more": "e mais {count} documentos: consulte o seu extrato de conta",
    "statement": "Extrato de conta",
    "account": "Conta",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: a fatura {{ leader.number }} vence a {{ leader.due_date }}",
        """\
Uma breve nota antes da data: a fatura {{ leader.number }} de {{ leader.amount }} vence a {{ leader.due_date }}.

{{ listing }}

Se algo não estiver correto, agradecemos que nos diga já, para que possa ser resolvido a tempo.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} vencidos, fatura {{ leader.number }}",
        """\
Talvez tenha passado despercebido: a fatura {{ leader.number }} venceu a {{ leader.due_date }} e, salvo se as nossas mensagens se cruzaram, ainda não recebemos o seu pagamento.

Conta {{ customer.number }}, {{ customer.name }}, a {{ today }}:

{{ listing }}

Agradecemos o pagamento nos próximos dias ou que nos indique o que o impede.""",
    ),
    "second_reminder": (
        "Segundo aviso: {{ total }} vencidos junto de {{ sender.name }}",
        """\
Escrevemos-lhe sobre a fatura {{ leader.number }}, agora com {{ leader.days_late }} dias de atraso. Na conta {{ customer.number }} ({{ customer.name }}) continua em aberto:

{{ listing }}

Agradecemos que nos indique, na volta do correio, a data do pagamento ou o motivo do atraso: uma reclamação só pode ser resolvida se a conhecermos. Sem resposta, telefonar-lhe-emos.""",
    ),
    "third_reminder": (
        "Terceiro aviso: {{ total }} vencidos desde {{ leader.due_date }}",
        """\
Apesar dos nossos avisos, a fatura {{ leader.number }} está com {{ leader.days_late }} dias de atraso e não recebemos pagamento nem resposta.

{{ listing }}

Pedimos-lhe que pague {{ total }} no prazo de oito dias. Depois disso teremos de encaminhar o processo e poderemos suspender os fornecimentos.""",
    ),
    "formal_notice": (
        "Interpelação para pagamento de {{ total }}, conta {{ customer.number }}",
        """\
Interpelação para pagamento

Os nossos avisos ficaram sem efeito. Pela presente interpelamo-lo(a) a pagar a quantia de {{ total }} no prazo de oito dias a contar da receção desta mensagem, relativa aos seguintes documentos da conta {{ customer.number }} ({{ customer.name }}), a {{ today }}:

{{ listing }}

Na falta de pagamento nesse prazo, recorreremos sem outro aviso à via judicial e exigiremos os juros e custos previstos na lei.""",
    ),
    "statement": (
        "Extrato da sua conta {{ customer.number }} junto de {{ sender.name }}",
        """\
Segue abaixo, e em anexo, o extrato da conta {{ customer.number }} ({{ customer.name }}) a {{ today }}.

{{ listing }}

Se os seus registos forem diferentes, agradecemos que nos indique os documentos em causa.""",
    ),
    "promise_confirmation": (
        "O seu pagamento{% if promise.date %} de {{ promise.date }}{% endif %}: confirmação",
        """\
Obrigado pela sua resposta. Registámos que pagará os documentos abaixo{% if promise.amount %}, num total de {{ promise.amount }},{% endif %} a {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Até lá não receberá avisos sobre eles.""",
    ),
    "promise_broken": (
        "Pagamento anunciado{% if promise.date %} para {{ promise.date }}{% endif %} não recebido",
        """\
Anunciou-nos um pagamento{% if promise.amount %} de {{ promise.amount }}{% endif %} para {{ promise.date }}. Não o recebemos.

{{ listing }}

Agradecemos que nos diga quando foi feito e com que referência, ou que o efetue hoje.""",
    ),
    "dispute_acknowledgement": (
        "A sua reclamação sobre a conta {{ customer.number }}: está em análise",
        """\
Registámos que contesta os documentos abaixo{% if dispute %} ({{ dispute }}){% endif %} e estamos a analisá-los. Informaremos assim que soubermos mais; entretanto não serão objeto de avisos.

{{ listing }}

?comment {{ comment }}

Os documentos não contestados continuam a ser devidos na data de vencimento.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Os documentos abaixo de {{ customer.name }} ({{ customer.number }}) têm agora o estado {{ status }}.

?comment {{ comment }}

{{ listing }}

Agradecemos que faça o necessário ou indique a quem compete.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} vencidos na conta {{ customer.number }} (fatura {{ leader.number }}, {{ leader.due_date }}). Agradecemos que pague ou nos telefone.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Telefonar a {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), falar com {{ contact.name }}.

Documento mais antigo: {{ leader.number }}, {{ leader.amount }}, vencido a {{ leader.due_date }}, {{ leader.days_late }} dias de atraso.

{{ listing }}

Perguntar: uma data de pagamento por documento, o motivo do atraso e as reclamações com o respetivo número.""",
    ),
}
