"""French templates."""

from services.dunning.domain.letters.template_text import TemplateText

LABELS = {
    "number": "Numéro",
    "issued": "émise le",
    "due": "échue le",
    "days_late": "jours de retard",
    "amount": "Reste dû",
    "total": "Total dû",
    "more": "et {count} autres pièces : voir votre relevé de compte",
}

TEMPLATES = {
    "first_reminder": TemplateText(
        subject="{{ sender.name }} : {{ total }} à régler, facture {{ leader.number }}",
        text="""\
Bonjour {{ contact.name }},

Sauf erreur de notre part, et si votre règlement n'a pas croisé ce message, la
facture {{ leader.number }}, arrivée à échéance le {{ leader.due_date }},
reste impayée.

Compte {{ customer.number }}, {{ customer.name }}, au {{ today }} :

{{ listing }}

Nous vous remercions de nous régler sous quelques jours, ou de nous dire ce
qui s'y oppose.

Cordialement,
{{ sender.name }}
{{ sender.email }}
""",
        html="""\
<p>Bonjour {{ contact.name }},</p>
<p>Sauf erreur de notre part, et si votre règlement n'a pas croisé ce message, la facture
<strong>{{ leader.number }}</strong>, arrivée à échéance le {{ leader.due_date }}, reste impayée.</p>
<p>Compte {{ customer.number }}, {{ customer.name }}, au {{ today }} :</p>
{{ listing }}
<p>Nous vous remercions de nous régler sous quelques jours, ou de nous dire ce qui s'y oppose.</p>
<p>Cordialement,<br>{{ sender.name }}<br>{{ sender.email }}</p>
""",
    ),
    "second_reminder": TemplateText(
        subject="Deuxième relance : {{ total }} à régler à {{ sender.name }}",
        text="""\
Bonjour {{ contact.name }},

Nous vous avons écrit au sujet de la facture {{ leader.number }}, en retard de
{{ leader.days_late }} jours. Le compte {{ customer.number }}
({{ customer.name }}) présente toujours le solde suivant :

{{ listing }}

Merci de nous indiquer par retour la date de votre règlement ou la raison du
retard : un litige ne peut être traité que s'il nous est connu. Sans réponse
de votre part, nous vous appellerons.

Cordialement,
{{ sender.name }}
{{ sender.email }}
""",
        html="""\
<p>Bonjour {{ contact.name }},</p>
<p>Nous vous avons écrit au sujet de la facture <strong>{{ leader.number }}</strong>, en retard de
{{ leader.days_late }} jours. Le compte {{ customer.number }} ({{ customer.name }}) présente toujours le
solde suivant :</p>
{{ listing }}
<p>Merci de nous indiquer par retour la date de votre règlement ou la raison du retard : un litige ne peut
être traité que s'il nous est connu. Sans réponse de votre part, nous vous appellerons.</p>
<p>Cordialement,<br>{{ sender.name }}<br>{{ sender.email }}</p>
""",
    ),
    "call": TemplateText(
        subject="Appeler {{ customer.name }} : {{ total }}",
        text="""\
{{ customer.name }} ({{ customer.number }}), demander {{ contact.name }}.

Pièce la plus ancienne : {{ leader.number }}, {{ leader.amount }}, échue le
{{ leader.due_date }}, en retard de {{ leader.days_late }} jours. Deux
relances ont été envoyées.

{{ listing }}

Demander : une date de règlement par pièce, la raison du retard, et les
litiges avec leur numéro.
""",
    ),
}
