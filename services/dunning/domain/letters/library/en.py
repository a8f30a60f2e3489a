"""English templates."""

from services.dunning.domain.letters.template_text import TemplateText

LABELS = {
    "number": "Number",
    "issued": "issued",
    "due": "due",
    "days_late": "days late",
    "amount": "Open amount",
    "total": "Total due",
    "more": "and {count} more items: please see your statement",
}

TEMPLATES = {
    "first_reminder": TemplateText(
        subject="{{ sender.name }}: {{ total }} overdue, invoice {{ leader.number }}",
        text="""\
Dear {{ contact.name }},

Perhaps it has escaped your attention: invoice {{ leader.number }} was due on
{{ leader.due_date }} and, unless our messages have crossed, we have not
received your payment yet.

Account {{ customer.number }}, {{ customer.name }}, on {{ today }}:

{{ listing }}

Please pay within the next few days, or tell us if something keeps you from
doing so.

Kind regards,
{{ sender.name }}
{{ sender.email }}
""",
        html="""\
<p>Dear {{ contact.name }},</p>
<p>Perhaps it has escaped your attention: invoice <strong>{{ leader.number }}</strong> was due on
{{ leader.due_date }} and, unless our messages have crossed, we have not received your payment yet.</p>
<p>Account {{ customer.number }}, {{ customer.name }}, on {{ today }}:</p>
{{ listing }}
<p>Please pay within the next few days, or tell us if something keeps you from doing so.</p>
<p>Kind regards,<br>{{ sender.name }}<br>{{ sender.email }}</p>
""",
    ),
    "second_reminder": TemplateText(
        subject="Second reminder: {{ total }} overdue at {{ sender.name }}",
        text="""\
Dear {{ contact.name }},

We wrote to you about invoice {{ leader.number }}, now {{ leader.days_late }}
days late. The amount below is still open on account {{ customer.number }}
({{ customer.name }}):

{{ listing }}

Please tell us by return the day on which you will pay, or what prevents it: a
dispute can only be settled once we know of it. Without an answer we shall
call you.

Kind regards,
{{ sender.name }}
{{ sender.email }}
""",
        html="""\
<p>Dear {{ contact.name }},</p>
<p>We wrote to you about invoice <strong>{{ leader.number }}</strong>, now {{ leader.days_late }} days late.
The amount below is still open on account {{ customer.number }} ({{ customer.name }}):</p>
{{ listing }}
<p>Please tell us by return the day on which you will pay, or what prevents it: a dispute can only be
settled once we know of it. Without an answer we shall call you.</p>
<p>Kind regards,<br>{{ sender.name }}<br>{{ sender.email }}</p>
""",
    ),
    "call": TemplateText(
        subject="Call {{ customer.name }}: {{ total }}",
        text="""\
{{ customer.name }} ({{ customer.number }}), speak to {{ contact.name }}.

Oldest item: {{ leader.number }}, {{ leader.amount }}, due on
{{ leader.due_date }}, {{ leader.days_late }} days late. Two reminders were
sent.

{{ listing }}

Ask for: a date of payment for each item, the reason of the delay, and any
dispute with its number.
""",
    ),
}
