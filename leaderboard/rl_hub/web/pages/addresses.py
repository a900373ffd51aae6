"""Addresses of pages and of files, percent-encoded, from the place where the Hub is mounted."""

import posixpath
from dataclasses import dataclass
from urllib.parse import quote, urlencode

_FOLDERS = {"model": "", "dataset": "/datasets", "space": "/spaces"}
PLURALS = {"model": "models", "dataset": "datasets", "space": "spaces"}


@dataclass(frozen=True)
class Addresses:
    """Addresses of a Hub.

    Attributes:
        root: What stands before every path: empty, or `/hub` for a Hub mounted there.
    """

    root: str = ""

    def page(self, path: str, **query: str | None) -> str:
        """A page by its path, with the parts of the query that are not empty."""
        given = {name: value for name, value in query.items() if value}
        return self.root + path + (f"?{urlencode(given)}" if given else "")

    def listing(self, kind: str, filters: tuple[str, ...] = (), **query: str | None) -> str:
        """The list of a kind of repositories."""
        given = [("filter", tag) for tag in filters] + [(name, value) for name, value in query.items() if value]
        return f"{self.root}/{PLURALS[kind]}" + (f"?{urlencode(given)}" if given else "")

    def account(self, name: str) -> str:
        """The page of a user or an organisation."""
        return f"{self.root}/{quote(name, safe='')}"

    def repository(self, kind: str, repo_id: str) -> "RepositoryAddresses":
        """The pages of a repository."""
        return RepositoryAddresses(self.root, f"{_FOLDERS[kind]}/{quote(repo_id)}")


@dataclass(frozen=True)
class RepositoryAddresses:
    """Addresses inside a repository.

    Attributes:
        root: What stands before every path of the Hub.
        path: The repository's page below that; also what `git clone` takes below the Hub's address.
    """

    root: str
    path: str

    @property
    def home(self) -> str:
        """Its page."""
        return self.root + self.path

    def tree(self, revision: str, path: str = "") -> str:
        """A folder."""
        return self._at("tree", revision, path)

    def blob(self, revision: str, path: str) -> str:
        """A file's page."""
        return self._at("blob", revision, path)

    def content(self, revision: str, path: str, *, download: bool = False) -> str:
        """A file itself; to be saved rather than shown, if asked for."""
        return self._at("resolve", revision, path) + ("?download=true" if download else "")

    def history(self, revision: str) -> str:
        """The commits of a revision."""
        return self._at("commits", revision)

    def commit(self, sha: str) -> str:
        """What a commit changed."""
        return self._at("commit", sha)

    def resolve_link(self, revision: str, path: str, *, loaded: bool) -> str | None:
        """Where a relative address in the card leads.

        Args:
            revision: The one whose card it is.
            path: The address without its fragment, decoded; one that starts with `/` counts from the top as well.
            loaded: Whether the content is shown in place.

        Returns:
            None if it leads out of the repository.
        """
        normal = posixpath.normpath(path.lstrip("/"))
        if normal == ".." or normal.startswith("../"):
            return None
        if normal == ".":
            return None if loaded else self.home
        if loaded:
            return self.content(revision, normal)
        return self.tree(revision, normal) if path.endswith("/") else self.blob(revision, normal)

    def _at(self, page: str, revision: str, path: str = "") -> str:
        address = f"{self.home}/{page}/{quote(revision, safe='')}"
        return f"{address}/{quote(path)}" if path else address
