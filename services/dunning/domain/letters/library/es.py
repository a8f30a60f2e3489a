# ruff: noqa: E501
"""Spanish templates."""

GREETING = "Estimado/a {{ contact.name }}:"
CLOSING = "Atentamente,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Su cuenta, donde puede responder partida por partida: {{ page_url }}"

LABELS = {
    "number": "Número",
    "issued": "emitida el",
    "due": "vence el",
    "days_late": "días de retraso",
    "amount": "Importe pendiente",
    "total": "Total pendiente",
    "more": "y {count} partidas más: consulte su extracto de cuenta",
    "statement": "Extracto de cuenta",
    "account": "Cuenta",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: la factura {{ leader.number }} vence el {{ leader.due_date }}",
        """\
Una breve nota antes del vencimiento: la factura {{ leader.number }} de {{ leader.amount }} vence el {{ leader.due_date }}.

{{ listing }}

Si algo no es correcto, díganoslo ahora para poder resolverlo a tiempo.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} vencidos, factura {{ leader.number }}",
        """\
Quizá se le haya pasado por alto: la factura {{ leader.number }} venció el {{ leader.due_date }} y, salvo que nuestros mensajes se hayan cruzado, aún no hemos recibido su pago.

Cuenta {{ customer.number }}, {{ customer.name }}, a {{ today }}:

{{ listing }}

Le rogamos que efectúe el pago en los próximos días o nos indique qué se lo impide.""",
    ),
    "second_reminder": (
        "Segundo recordatorio: {{ total }} vencidos con {{ sender.name }}",
        """\
Le escribimos acerca de la factura {{ leader.number }}, que lleva {{ leader.days_late }} días de retraso. En la cuenta {{ customer.number }} ({{ customer.name }}) sigue pendiente lo siguiente:

{{ listing }}

Indíquenos a vuelta de correo la fecha de su pago o el motivo del retraso: una reclamación solo puede resolverse si la conocemos. Si no recibimos respuesta, le llamaremos.""",
    ),
    "third_reminder": (
        "Tercer recordatorio: {{ total }} vencidos desde el {{ leader.due_date }}",
        """\
Pese a nuestros recordatorios, la factura {{ leader.number }} lleva {{ leader.days_late }} días de retraso y no hemos recibido ni pago ni respuesta.

{{ listing }}

Le pedimos que pague {{ total }} en un plazo de ocho días. Pasado ese plazo tendremos que trasladar el expediente y podremos suspender los suministros.""",
    ),
    "formal_notice": (
        "Requerimiento de pago de {{ total }}, cuenta {{ customer.number }}",
        """\
Requerimiento de pago

Nuestros recordatorios no han surtido efecto. Por la presente le requerimos el pago de {{ total }} en el plazo de ocho días desde la recepción de este escrito, por las siguientes partidas de la cuenta {{ customer.number }} ({{ customer.name }}), a {{ today }}:

{{ listing }}

De no recibir el pago en ese plazo, iniciaremos sin más aviso la reclamación judicial y exigiremos los intereses y gastos previstos por la ley.""",
    ),
    "statement": (
        "Extracto de su cuenta {{ customer.number }} con {{ sender.name }}",
        """\
A continuación, y como documento adjunto, encontrará el extracto de la cuenta {{ customer.number }} ({{ customer.name }}) a {{ today }}.

{{ listing }}

Si sus libros no coinciden, indíquenos qué partidas difieren.""",
    ),
    "promise_confirmation": (
        "Su pago{% if promise.date %} del {{ promise.date }}{% endif %}: confirmación",
        """\
Gracias por su respuesta. Hemos anotado que pagará las partidas siguientes{% if promise.amount %}, {{ promise.amount }} en total,{% endif %} el {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Hasta entonces no recibirá recordatorios por ellas.""",
    ),
    "promise_broken": (
        "Pago anunciado{% if promise.date %} para el {{ promise.date }}{% endif %} no recibido",
        """\
Nos anunció un pago{% if promise.amount %} de {{ promise.amount }}{% endif %} para el {{ promise.date }}. No lo hemos recibido.

{{ listing }}

Indíquenos a vuelta de correo cuándo se hizo y con qué referencia, o efectúelo hoy.""",
    ),
    "dispute_acknowledgement": (
        "Su reclamación sobre la cuenta {{ customer.number }}: la estamos examinando",
        """\
Hemos anotado que impugna las partidas siguientes{% if dispute %} ({{ dispute }}){% endif %} y estamos examinándolo. Le informaremos en cuanto sepamos más; entre tanto no recibirá recordatorios por ellas.

{{ listing }}

?comment {{ comment }}

Las partidas no impugnadas siguen siendo exigibles a su vencimiento.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
Las partidas siguientes de {{ customer.name }} ({{ customer.number }}) tienen ahora el estado {{ status }}.

?comment {{ comment }}

{{ listing }}

Por favor, haga lo necesario o diga a quién corresponde.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} vencidos en la cuenta {{ customer.number }} (factura {{ leader.number }}, {{ leader.due_date }}). Le rogamos que pague o nos llame.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Llamar a {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), preguntar por {{ contact.name }}.

Partida más antigua: {{ leader.number }}, {{ leader.amount }}, vencida el {{ leader.due_date }}, {{ leader.days_late }} días de retraso.

{{ listing }}

Preguntar: una fecha de pago por partida, el motivo del retraso y las reclamaciones con su número.""",
    ),
}
