# ruff: noqa: E501
"""French templates."""

GREETING = "Bonjour {{ contact.name }},"
CLOSING = "Cordialement,\n{{ sender.name }}\n{{ sender.email }}"
PAGE = "Votre compte, où répondre pièce par pièce : {{ page_url }}"

LABELS = {
    "number": "Numéro",
    "issued": "émise le",
    "due": "échue le",
    "days_late": "jours de retard",
    "amount": "Reste dû",
    "total": "Total dû",
    "more": "et {count} autres pièces : voir votre relevé de compte",
    "statement": "Relevé de compte",
    "account": "Compte",
}

TEMPLATES = {
    "before_due": (
        "{{ sender.name }} : la facture {{ leader.number }} arrive à échéance le {{ leader.due_date }}",
        """\
Un mot avant l'échéance : la facture {{ leader.number }} de {{ leader.amount }} est à régler le {{ leader.due_date }}.

{{ listing }}

Si quelque chose n'est pas en ordre, dites-le-nous dès maintenant : nous aurons le temps d'y remédier.""",
    ),
    "first_reminder": (
        "{{ sender.name }} : {{ total }} à régler, facture {{ leader.number }}",
        """\
Sauf erreur de notre part, et si votre règlement n'a pas croisé ce message, la facture {{ leader.number }}, arrivée à échéance le {{ leader.due_date }}, reste impayée.

Compte {{ customer.number }}, {{ customer.name }}, au {{ today }} :

{{ listing }}

Nous vous remercions de nous régler sous quelques jours, ou de nous dire ce qui s'y oppose.""",
    ),
    "second_reminder": (
        "Deuxième relance : {{ total }} à régler à {{ sender.name }}",
        """\
Nous vous avons écrit au sujet de la facture {{ leader.number }}, en retard de {{ leader.days_late }} jours. Le compte {{ customer.number }} ({{ customer.name }}) présente toujours le solde suivant :

{{ listing }}

Merci de nous indiquer par retour la date de votre règlement ou la raison du retard : un litige ne peut être traité que s'il nous est connu. Sans réponse de votre part, nous vous appellerons.""",
    ),
    "third_reminder": (
        "Troisième relance : {{ total }} impayés depuis le {{ leader.due_date }}",
        """\
Malgré nos relances, la facture {{ leader.number }} est en retard de {{ leader.days_late }} jours et nous n'avons reçu ni règlement ni réponse.

{{ listing }}

Nous vous demandons de régler {{ total }} sous huit jours. Passé ce délai, nous devrons transmettre le dossier et pourrons suspendre nos livraisons.""",
    ),
    "formal_notice": (
        "Mise en demeure de payer {{ total }}, compte {{ customer.number }}",
        """\
Mise en demeure

Nos relances étant restées sans effet, nous vous mettons en demeure de nous régler la somme de {{ total }} dans un délai de huit jours à compter de la réception de la présente, au titre des pièces suivantes du compte {{ customer.number }} ({{ customer.name }}), au {{ today }} :

{{ listing }}

À défaut de règlement dans ce délai, nous engagerons sans autre avis le recouvrement par voie judiciaire et réclamerons les intérêts et frais prévus par la loi.""",
    ),
    "statement": (
        "Relevé de votre compte {{ customer.number }} chez {{ sender.name }}",
        """\
Veuillez trouver ci-dessous, et en pièce jointe, le relevé du compte {{ customer.number }} ({{ customer.name }}) au {{ today }}.

{{ listing }}

Si vos livres disent autre chose, merci de nous indiquer les pièces qui diffèrent.""",
    ),
    "promise_confirmation": (
        "Votre règlement{% if promise.date %} du {{ promise.date }}{% endif %} : confirmation",
        """\
Merci de votre réponse. Nous notons que vous réglerez les pièces ci-dessous{% if promise.amount %}, soit {{ promise.amount }},{% endif %} le {{ promise.date }}.

{{ listing }}

?comment {{ comment }}

D'ici là, elles ne feront l'objet d'aucune relance.""",
    ),
    "promise_broken": (
        "Règlement annoncé{% if promise.date %} pour le {{ promise.date }}{% endif %} non reçu",
        """\
Vous nous aviez annoncé un règlement{% if promise.amount %} de {{ promise.amount }}{% endif %} pour le {{ promise.date }}. Il ne nous est pas parvenu.

{{ listing }}

Merci de nous dire par retour quand il a été fait, avec sa référence, ou de l'effectuer aujourd'hui.""",
    ),
    "dispute_acknowledgement": (
        "Votre litige sur le compte {{ customer.number }} : nous l'examinons",
        """\
Nous avons noté que vous contestez les pièces ci-dessous{% if dispute %} ({{ dispute }}){% endif %} et nous examinons votre demande. Nous reviendrons vers vous dès que possible ; ces pièces ne seront pas relancées d'ici là.

{{ listing }}

?comment {{ comment }}

Les pièces qui ne sont pas contestées restent exigibles à leur échéance.""",
    ),
    "status_notice": (
        "{{ customer.name }} : {{ status }}",
        """\
Les pièces ci-dessous de {{ customer.name }} ({{ customer.number }}) ont désormais le statut {{ status }}.

?comment {{ comment }}

{{ listing }}

Merci de faire le nécessaire, ou de dire à qui cela revient.""",
    ),
    "text_message": (
        "{{ sender.name }}",
        "{{ sender.name }} : {{ total }} en retard sur le compte {{ customer.number }} (facture {{ leader.number }}, {{ leader.due_date }}). Merci de régler ou de nous appeler.{% if page_url %} {{ page_url }}{% endif %}",
    ),
    "call": (
        "Appeler {{ customer.name }} : {{ total }}",
        """\
{{ customer.name }} ({{ customer.number }}), demander {{ contact.name }}.

Pièce la plus ancienne : {{ leader.number }}, {{ leader.amount }}, échue le {{ leader.due_date }}, en retard de {{ leader.days_late }} jours.

{{ listing }}

Demander : une date de règlement par pièce, la raison du retard, et les litiges avec leur numéro.""",
    ),
}
