"""After a refusal the broker is written to, once, and what came of it is kept."""

import pytest

from libs.testkit.plugin import MakeTenant
from tests.stories import risk_desk
from tests.stories.credit_desk import make, read, refused, rows, tell
from tests.stories.insurance_desk import buyer, connect, insure


@pytest.mark.feature("C26", "C27", "C28", "C29", "C30", "C41", "F71")
async def test_an_insistence_leaves_once_and_is_kept(make_tenant: MakeTenant) -> None:
    house = await make_tenant(now="2026-03-02T09:00:00+01:00", name="Tuilerie de Bourgogne")
    client = house.client
    broker = await make(
        client, "/v1/brokers", name="Courtage du Centre", email="desk@broker.example", language="fr"
    )
    policy = await insure(house, await connect(house, "manual"), broker_id=broker["id"])
    company = await buyer(house, "C-1", "Charpentes Morvan", "732829320", None)
    comment = await client.post(
        f"/v1/companies/{company}/credit-comments", json={"text": "Solid order book until 2027"}
    )
    assert comment.status_code == 201, comment.text
    provider = await risk_desk.connect(house, "infolegale")
    await risk_desk.steer(house, provider, "732829320", name="Charpentes Morvan", score="11")
    await risk_desk.watch(house, provider, company_ids=[company])
    await risk_desk.sync(house, provider)
    asked = await make(
        client,
        "/v1/guarantee-requests",
        policy_id=policy["id"],
        company_id=company,
        amount="80000.00",
        submit=True,
    )
    decision = await make(
        client, f"/v1/guarantees/{asked['guarantee_id']}/decisions", status="partially_approved", granted_amount="20000.00",
        reasons=[{"code": "12", "text": "Informations défavorables"}],
    )  # fmt: skip
    wording = {
        "subject": "Insistance {{company}}",
        "body": "{{granted_amount}} sur {{requested_amount}}. {{reasons}}\n\n{{arguments}}\n\n{{comments}}\n\n{{provider_data}}",
    }
    put = await client.put("/v1/insistence-templates/fr", json=wording)
    assert put.status_code == 200, put.text
    wrong = await client.put("/v1/insistence-templates/fr", json={**wording, "body": "{{password}}"})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "member_unknown")

    draft = await make(
        client, "/v1/insistences", decision_id=decision["id"], arguments="Paie à l'échéance depuis 2019."
    )
    assert (draft["subject"], draft["state"], draft["recipients"][0]["email"]) == (
        "Insistance Charpentes Morvan", "draft", "desk@broker.example",
    )  # fmt: skip
    assert draft["body"].startswith("20000.00 sur 80000.00. Informations défavorables\n\nPaie à l'échéance")
    assert "Solid order book until 2027" in draft["body"]
    assert "score: 11 (infolegale" in draft["body"]
    assert await refused(client, "/v1/insistences", decision_id=decision["id"]) == (409, "insistence_open")
    address = f"/v1/insistences/{draft['id']}"
    await tell(client, f"{address}/send")
    await house.settle()
    assert await refused(client, f"{address}/send") == (409, "invalid_state")
    sent = await read(client, address)
    assert (sent["state"], sent["follow_up_on"]) == ("sent", "2026-03-09")
    (caught,) = await rows(client, "/v1/sandbox/mails", to="desk@broker.example")
    assert (caught["subject"], draft["body"].split("\n")[0] in caught["text"]) == (
        "Insistance Charpentes Morvan",
        True,
    )
    agenda = await rows(client, "/v1/risk-agenda")
    assert ("insistence_follow_up", "2026-03-09") in {(one["kind"], one["due_on"]) for one in agenda}

    better = await make(
        client,
        f"/v1/guarantees/{asked['guarantee_id']}/decisions",
        status="approved",
        granted_amount="60000.00",
    )
    answered = await tell(client, f"{address}/answer", outcome="improved", decision_id=better["id"])
    assert (answered["state"], answered["gain"]) == ("answered", "40000.00")
    assert await refused(client, "/v1/insistences", decision_id=better["id"]) == (409, "nothing_to_insist_on")
    (kept,) = await rows(client, "/v1/insistences", company_id=company)
    assert kept["body"] == draft["body"]
