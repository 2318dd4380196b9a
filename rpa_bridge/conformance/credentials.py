"""Standard tests of credentials. Their values are canaries: wherever one shows, the test fails."""

from __future__ import annotations

from pydantic import SecretStr

from rpa_bridge.contract.credentials import Credential
from rpa_bridge.contract.features import Feature
from rpa_bridge.contract.model import plain
from rpa_bridge.errors import InvalidError, NotFoundError

from .automations import ODD_NAMES
from .stage import Stage, listed
from .standard import requires

CANARY = "canary-5f1d9c3b-größer-☃"
OTHER_CANARY = 'canary-it\'s 100 %/"quoted"'


async def _put(stage: Stage) -> Credential:
    user, password = stage.harness.credential_keys
    fields = {user: SecretStr(OTHER_CANARY), password: SecretStr(CANARY)}
    return await stage.adapter.credentials.put(stage.new_name("credential"), fields)


def _check_hidden(*shown: object) -> None:
    for one in shown:
        for text in (repr(one), str(one), repr(plain(one))):
            assert "canary" not in text, f"a {type(one).__name__} shows its secret"


class CredentialTests:
    """Standard tests of named secrets."""

    @requires("credentials.find")
    async def test_each_credential_is_listed_once(self, stage: Stage) -> None:
        found = await listed(stage.adapter.credentials.find())
        assert all(one.id and one.name for one in found)
        assert len({one.name for one in found}) == len(found)

    @requires(Feature.CREDENTIAL_PUT)
    async def test_a_new_credential_is_found_by_its_name_and_keys(self, stage: Stage) -> None:
        made = await _put(stage)
        found = {one.name: one for one in await listed(stage.adapter.credentials.find())}
        assert found[made.name].id == made.id
        assert set(found[made.name].keys) == set(stage.harness.credential_keys)
        _check_hidden(made, found[made.name])

    @requires(Feature.CREDENTIAL_PUT)
    async def test_an_empty_name_of_a_credential_is_refused_before_sending(self, stage: Stage) -> None:
        with stage.refused(InvalidError, unsent=True) as caught:
            await stage.adapter.credentials.put("", {stage.harness.credential_keys[1]: SecretStr(CANARY)})
        assert "canary" not in repr(caught.value)

    @requires(Feature.CREDENTIAL_REVEAL, Feature.CREDENTIAL_PUT)
    async def test_a_revealed_credential_holds_what_was_put_and_hides_it(self, stage: Stage) -> None:
        user, password = stage.harness.credential_keys
        made = await _put(stage)
        revealed = await stage.adapter.credentials.reveal(made.name)
        assert revealed.name == made.name
        assert set(revealed.fields) == {user, password}
        assert revealed[user].get_secret_value() == OTHER_CANARY
        assert revealed[password].get_secret_value() == CANARY
        _check_hidden(revealed)

    @requires(Feature.CREDENTIAL_REVEAL)
    async def test_an_unknown_credential_is_not_found(self, stage: Stage) -> None:
        name = stage.new_name("credential")
        with stage.refused(NotFoundError) as caught:
            await stage.adapter.credentials.reveal(name)
        assert name in str(caught.value), "the error must name what is not there"

    @requires(Feature.CREDENTIAL_REVEAL)
    async def test_an_oddly_named_credential_is_not_found(self, stage: Stage) -> None:
        for name in ODD_NAMES:
            with stage.refused(NotFoundError, InvalidError):
                await stage.adapter.credentials.reveal(name)

    @requires(Feature.CREDENTIAL_PUT, Feature.CREDENTIAL_REVEAL)
    async def test_fields_that_are_not_named_stay_as_they_are(self, stage: Stage) -> None:
        user, password = stage.harness.credential_keys
        made = await _put(stage)
        await stage.adapter.credentials.put(made.name, {password: SecretStr("canary-new")})
        revealed = await stage.adapter.credentials.reveal(made.name)
        assert revealed[user].get_secret_value() == OTHER_CANARY
        assert revealed[password].get_secret_value() == "canary-new"

    @requires(Feature.CREDENTIAL_DELETE, Feature.CREDENTIAL_PUT)
    async def test_a_deleted_credential_is_gone(self, stage: Stage) -> None:
        made = await _put(stage)
        await stage.adapter.credentials.delete(made.name)
        assert made.name not in [one.name async for one in stage.adapter.credentials.find()]

    @requires(Feature.CREDENTIAL_DELETE, Feature.CREDENTIAL_PUT)
    async def test_one_field_of_a_credential_is_deleted(self, stage: Stage) -> None:
        user, password = stage.harness.credential_keys
        made = await _put(stage)
        await stage.adapter.credentials.delete(made.name, key=password)
        found = {one.name: one async for one in stage.adapter.credentials.find()}
        assert found[made.name].keys == (user,)
        with stage.refused(NotFoundError):
            await stage.adapter.credentials.delete(made.name, key=password)

    @requires(Feature.CREDENTIAL_DELETE)
    async def test_an_unknown_credential_cannot_be_deleted(self, stage: Stage) -> None:
        with stage.refused(NotFoundError):
            await stage.adapter.credentials.delete(stage.new_name("credential"))
