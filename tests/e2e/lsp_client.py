"""Drives `tokenward lsp` as editors do, with pytest-lsp."""

import os
from pathlib import Path

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

ROOT = Path(os.environ["TOKENWARD_LSP_DIR"]).resolve()
CI = ROOT / "policies" / "ci.toml"
PEOPLE = ROOT / "policies" / "people.toml"
SET = ROOT / "policies" / "jira-read.limits"


@pytest_lsp.fixture(
    params=["visual_studio_code", "neovim", "emacs"],
    config=ClientServerConfig(server_command=[os.environ["TOKENWARD_BIN"], "lsp"]),
)
async def client(request, lsp_client: LanguageClient):
    # The client names the editor's capabilities, and has no answer of its own to the request that follows from this one.
    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams) -> None:
        assert [one.method for one in params.registrations] == [types.WORKSPACE_DID_CHANGE_WATCHED_FILES]

    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param),
            workspace_folders=[types.WorkspaceFolder(uri=ROOT.as_uri(), name="policies")],
        )
    )
    yield
    await lsp_client.shutdown_session()


def document(path: Path) -> types.TextDocumentIdentifier:
    return types.TextDocumentIdentifier(uri=path.as_uri())


def open_document(client: LanguageClient, path: Path, text: str | None = None) -> str:
    text = path.read_text() if text is None else text
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="toml", version=1, text=text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    return text


def position(text: str, part: str) -> types.Position:
    before = text[: text.index(part)]
    column = len(before.rsplit("\n", 1)[-1].encode("utf-16-le")) // 2
    return types.Position(line=before.count("\n"), character=column)


async def findings(client: LanguageClient, path: Path, wanted) -> list[types.Diagnostic]:
    """Waits until the findings of a file are as wanted."""
    while True:
        found = client.diagnostics.get(path.as_uri())
        if found is not None and wanted([one.code for one in found]):
            return list(found)
        await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)


def change(client: LanguageClient, path: Path, version: int, where: types.Range, text: str) -> None:
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            text_document=types.VersionedTextDocumentIdentifier(uri=path.as_uri(), version=version),
            content_changes=[types.TextDocumentContentChangePartial(range=where, text=text)],
        )
    )


@pytest.mark.asyncio
async def test_findings_follow_the_text(client: LanguageClient):
    text = open_document(client, CI)
    await findings(client, CI, lambda codes: codes == [])
    at = position(text, "KANBAN-\\d+\n")
    change(client, CI, 2, types.Range(start=at, end=at), "💡(")
    found = await findings(client, CI, lambda codes: "TW0013" in codes)
    error = next(one for one in found if one.code == "TW0013")
    assert error.severity == types.DiagnosticSeverity.Error
    assert error.range.start.line == at.line
    # The light bulb is two code units.
    end = types.Position(line=at.line, character=at.character + 3)
    change(client, CI, 3, types.Range(start=at, end=end), "")
    await findings(client, CI, lambda codes: codes == [])


@pytest.mark.asyncio
async def test_lints_have_requests_and_dead_lines_are_unnecessary(client: LanguageClient):
    text = CI.read_text()
    line = "[get]/rest/api/2/issue/KANBAN-\\d+\n"
    text = text.replace(line, line + line + "[get]/rest/api/2/issue/KANBAN-1.json\n", 1)
    open_document(client, CI, text)
    found = await findings(client, CI, lambda codes: {"TW0108", "TW0506"} <= set(codes))
    dead = next(one for one in found if one.code == "TW0108")
    assert types.DiagnosticTag.Unnecessary in dead.tags
    assert dead.related_information
    assert "for example: GET /rest/api/2" in next(one for one in found if one.code == "TW0506").message
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(
            text_document=document(CI),
            range=dead.range,
            context=types.CodeActionContext(diagnostics=[dead]),
        )
    )
    assert any("except this line" in action.title for action in actions)


@pytest.mark.asyncio
async def test_hover_explains_a_line(client: LanguageClient):
    text = open_document(client, PEOPLE)
    hover = await client.text_document_hover_async(
        types.HoverParams(text_document=document(PEOPLE), position=position(text, "filter[JsonData"))
    )
    value = hover.contents.value
    assert "the method is POST" in value and "curl -X POST -u bob:" in value, value
    hover = await client.text_document_hover_async(
        types.HoverParams(text_document=document(PEOPLE), position=position(text, "allowed_ips"))
    )
    assert "Addresses and networks" in hover.contents.value


@pytest.mark.asyncio
async def test_sets_are_completed_found_and_renamed(client: LanguageClient):
    text = open_document(client, PEOPLE)
    where = position(text, "jira-read\"]")
    at = types.TextDocumentPositionParams(text_document=document(PEOPLE), position=where)
    items = await client.text_document_completion_async(
        types.CompletionParams(text_document=at.text_document, position=where)
    )
    items = items if isinstance(items, list) else items.items
    assert [item.label for item in items] == ["jira-read"]
    found = await client.text_document_definition_async(
        types.DefinitionParams(text_document=at.text_document, position=where)
    )
    found = found if isinstance(found, list) else [found]
    assert [place.uri for place in found] == [SET.as_uri()]
    rename = types.RenameParams(text_document=at.text_document, position=where, new_name="reading")
    can_rename = "rename" in (client.capabilities.workspace.workspace_edit.resource_operations or [])
    if not can_rename:
        with pytest.raises(Exception, match="does not rename files"):
            await client.text_document_rename_async(rename)
        return
    edit = await client.text_document_rename_async(rename)
    kinds = [getattr(one, "kind", "edit") for one in edit.document_changes]
    assert kinds == ["edit", "rename"], kinds


@pytest.mark.asyncio
async def test_a_document_is_formatted(client: LanguageClient):
    text = open_document(client, CI, CI.read_text().replace('name = "ci-comments"', 'name="ci-comments"'))
    edits = await client.text_document_formatting_async(
        types.DocumentFormattingParams(
            text_document=document(CI), options=types.FormattingOptions(tab_size=4, insert_spaces=True)
        )
    )
    assert [edit.new_text for edit in edits] == ['name = "ci-comments"\n'], text
