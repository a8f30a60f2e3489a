# ruff: noqa: E501
"""Simplified Chinese templates."""

GREETING = "{{ contact.name }}，您好："
CLOSING = "此致\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "您可在此查看账户并逐项答复：{{ page_url }}"

LABELS = {
    "number": "单号",
    "issued": "开票日期",
    "due": "到期日",
    "days_late": "逾期天数",
    "amount": "未付金额",
    "total": "应付合计",
    "more": "另有 {count} 项：请参阅对账单",
    "statement": "对账单",
    "account": "账户",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}：发票 {{ leader.number }} 将于 {{ leader.due_date }} 到期",
        """\
温馨提示：金额为 {{ leader.amount }} 的发票 {{ leader.number }} 将于 {{ leader.due_date }} 到期。

{{ listing }}

如有任何不符，请现在告知我们，以便及时处理。""",
    ),
    "first_reminder": (
        "{{ sender.name }}：{{ total }} 已逾期，发票 {{ leader.number }}",
        """\
您可能未曾留意：发票 {{ leader.number }} 已于 {{ leader.due_date }} 到期，如非信息交错，我们尚未收到贵方付款。

截至 {{ today }}，账户 {{ customer.number }}，{{ customer.name }}：

{{ listing }}

请在数日内付款；如有困难，请告知原因。""",
    ),
    "second_reminder": (
        "第二次催款：欠 {{ sender.name }} 的 {{ total }} 已逾期",
        """\
我们曾就发票 {{ leader.number }} 致函贵方，该发票现已逾期 {{ leader.days_late }} 天。账户 {{ customer.number }}（{{ customer.name }}）仍有以下未付款项：

{{ listing }}

请尽快回复付款日期或逾期原因：只有了解争议，才能解决争议。如无答复，我们将致电贵方。""",
    ),
    "third_reminder": (
        "第三次催款：自 {{ leader.due_date }} 起逾期 {{ total }}",
        """\
虽经多次提醒，发票 {{ leader.number }} 仍逾期 {{ leader.days_late }} 天，我们既未收到付款，也未收到答复。

{{ listing }}

请在八天内支付 {{ total }}。逾期我们将不得不移交此案，并可能暂停供货。""",
    ),
    "formal_notice": (
        "正式催告函：{{ total }}，账户 {{ customer.number }}",
        """\
正式催告函

我们的多次提醒均无结果。现正式催告贵方自收到本函之日起八天内支付 {{ total }}，涉及账户 {{ customer.number }}（{{ customer.name }}）截至 {{ today }} 的以下款项：

{{ listing }}

如未在上述期限内付款，我们将不再另行通知而采取法律途径追偿，并主张法定利息和费用。""",
    ),
    "statement": (
        "{{ sender.name }} 账户 {{ customer.number }} 对账单",
        """\
以下及附件为账户 {{ customer.number }}（{{ customer.name }}）截至 {{ today }} 的对账单。

{{ listing }}

如与贵方账目不符，请告知有差异的项目。""",
    ),
    "promise_confirmation": (
        "贵方付款{% if promise.date %}（{{ promise.date }}）{% endif %}确认",
        """\
感谢答复。我们已记录贵方将于 {{ promise.date }} 支付以下款项{% if promise.amount %}，共计 {{ promise.amount }}{% endif %}。

{{ listing }}

?comment {{ comment }}

在此之前，我们不会就这些款项催款。""",
    ),
    "promise_broken": (
        "承诺的付款{% if promise.date %}（{{ promise.date }}）{% endif %}尚未收到",
        """\
贵方曾告知将于 {{ promise.date }} 付款{% if promise.amount %} {{ promise.amount }}{% endif %}，我们尚未收到。

{{ listing }}

请告知付款日期及附言，或于今日付款。""",
    ),
    "dispute_acknowledgement": (
        "账户 {{ customer.number }} 的争议：我们正在核查",
        """\
我们已记录贵方对以下款项提出争议{% if dispute %}（{{ dispute }}）{% endif %}，正在核查。一有进展即告知贵方；在此期间不会就其催款。

{{ listing }}

?comment {{ comment }}

无争议的款项仍应按期支付。""",
    ),
    "status_notice": (
        "{{ customer.name }}：{{ status }}",
        """\
{{ customer.name }}（{{ customer.number }}）的以下款项现状态为“{{ status }}”。

?comment {{ comment }}

{{ listing }}

请作必要处理，或说明应由谁处理。""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}：账户 {{ customer.number }} 有 {{ total }} 逾期未付（发票 {{ leader.number }}，{{ leader.due_date }}）。请付款或致电我们。{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "致电 {{ customer.name }}：{{ total }}",
        """\
{{ customer.name }}（{{ customer.number }}），联系人 {{ contact.name }}。

最早款项：{{ leader.number }}，{{ leader.amount }}，到期日 {{ leader.due_date }}，逾期 {{ leader.days_late }} 天。

{{ listing }}

询问：各款项的付款日期、逾期原因以及争议及其编号。""",
    ),
}
