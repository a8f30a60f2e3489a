# ruff: noqa: E501
"""English templates."""

GREETING = "Dear {{ contact.name }},"
CLOSING = "Kind regards,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Your account, with a place to answer each item: {{ page_url }}"

LABELS = {
    "number": "Number",
    "issued": "issued",
    "due": "due",
    "days_late": "days late",
    "amount": "Open amount",
    "total": "Total due",
    "more": "and {count} more items: please see your statement",
    "statement": "Statement of account",
    "account": "Account",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }}: invoice {{ leader.number }} falls due on {{ leader.due_date }}",
        """\
A short note before the date: invoice {{ leader.number }} of {{ leader.amount }} falls due on {{ leader.due_date }}.

{{ listing }}

If anything about it is not right, please tell us now, so that it can be put in order in time.""",
    ),
    "first_reminder": (
        "{{ sender.name }}: {{ total }} overdue, invoice {{ leader.number }}",
        """\
Perhaps it has escaped your attention: invoice {{ leader.number }} was due on {{ leader.due_date }} and, unless our messages have crossed, we have not received your payment yet.

Account {{ customer.number }}, {{ customer.name }}, on {{ today }}:

{{ listing }}

Please pay within the next few days, or tell us if something keeps you from doing so.""",
    ),
    "second_reminder": (
        "Second reminder: {{ total }} overdue at {{ sender.name }}",
        """\
We wrote to you about invoice {{ leader.number }}, now {{ leader.days_late }} days late. The amount below is still open on account {{ customer.number }} ({{ customer.name }}):

{{ listing }}

Please tell us by return the day on which you will pay, or what prevents it: a dispute can only be settled once we know of it. Without an answer we shall call you.""",
    ),
    "third_reminder": (
        "Third reminder: {{ total }} overdue since {{ leader.due_date }}",
        """\
In spite of our earlier reminders invoice {{ leader.number }} is {{ leader.days_late }} days late, and we have neither a payment nor an answer from you.

{{ listing }}

We ask you to pay {{ total }} within eight days. After that we shall have to hand the file on and may suspend deliveries.""",
    ),
    "formal_notice": (
        "Formal notice to pay {{ total }}, account {{ customer.number }}",
        """\
Formal notice

Our reminders have remained without effect. We hereby give you formal notice to pay the sum of {{ total }} within eight days of receiving this message, for the following items on account {{ customer.number }} ({{ customer.name }}), as of {{ today }}:

{{ listing }}

If it is not paid within that time we shall take legal steps to recover it without further notice, and claim the interest and costs the law provides for.""",
    ),
    "statement": (
        "Statement of your account {{ customer.number }} at {{ sender.name }}",
        """\
Please find below, and attached as a document, the statement of account {{ customer.number }} ({{ customer.name }}) on {{ today }}.

{{ listing }}

If your books say something else, please let us know which items differ.""",
    ),
    "promise_confirmation": (
        "Your payment{% if promise.date %} of {{ promise.date }}{% endif %}: confirmation",
        """\
Thank you for your answer. We have noted that you will pay the items below{% if promise.amount %}, {{ promise.amount }} in all,{% endif %} on {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

Until then you will not hear from us about them.""",
    ),
    "promise_broken": (
        "Payment announced{% if promise.date %} for {{ promise.date }}{% endif %} not received",
        """\
You announced a payment{% if promise.amount %} of {{ promise.amount }}{% endif %} for {{ promise.date }}. It has not reached us.

{{ listing }}

Please tell us by return when it was made, with its reference, or make it today.""",
    ),
    "dispute_acknowledgement": (
        "Your dispute on account {{ customer.number }}: we are looking into it",
        """\
We have noted that you dispute the items below{% if dispute %} ({{ dispute }}){% endif %} and are looking into it. You will hear from us as soon as we know more; no reminder will be sent for them meanwhile.

{{ listing }}

?comment {{ comment }}

Items that are not disputed stay payable on their due dates.""",
    ),
    "status_notice": (
        "{{ customer.name }}: {{ status }}",
        """\
The items below of {{ customer.name }} ({{ customer.number }}) now have the status {{ status }}.

?comment {{ comment }}

{{ listing }}

Please do your part, or say who should.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }}: {{ total }} is overdue on account {{ customer.number }} (invoice {{ leader.number }}, {{ leader.due_date }}). Please pay or call us.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Call {{ customer.name }}: {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), speak to {{ contact.name }}.

Oldest item: {{ leader.number }}, {{ leader.amount }}, due on {{ leader.due_date }}, {{ leader.days_late }} days late.

{{ listing }}

Ask for: a date of payment for each item, the reason of the delay, and any dispute with its number.""",
    ),
}
