"""Reads the pages of a package as a browser does: every link leads to a file of the package or a place on the page, and nothing
is run or loaded from elsewhere. Argument: the folder that has index.html."""
import html.parser
import pathlib
import sys
import urllib.parse

root = pathlib.Path(sys.argv[1]).resolve()
data = next(parent for parent in [root, *root.parents] if (parent.parent / "bagit.txt").is_file())


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.ids, self.open = [], set(), []

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "iframe", "object", "embed", "link", "base", "form"), tag
        for name, value in attributes:
            assert not name.startswith("on") and name not in ("srcset", "style", "action"), (tag, name)
            if name == "id":
                assert value not in self.ids, value
                self.ids.add(value)
            if name in ("href", "src"):
                self.links.append(value)


seen, waiting, reached = set(), [root / "index.html"], set()
while waiting:
    page = waiting.pop()
    if page in seen:
        continue
    seen.add(page)
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    for link in reader.links:
        parts = urllib.parse.urlsplit(link)
        assert not parts.scheme and not parts.netloc, link
        if not parts.path:
            assert parts.fragment in reader.ids, (page, link)
            continue
        target = (page.parent / urllib.parse.unquote(parts.path)).resolve()
        assert target.is_file() and data in target.parents, (page, link)
        reached.add(target)
        if root in target.parents and target.relative_to(root).parts[0].lower() == "pages":
            waiting.append(target)
documents = {p.resolve() for what in ("files", "NATIVES") for p in (root / what).rglob("*") if p.is_file()}
assert documents <= reached, documents - reached
records = {p.stem for what in ("vcons", "VCON") for p in (root / what).rglob("*.json")}
assert {page.stem for page in seen} == records | {"index"}, "a page for each record"
print(f"pages: {len(seen)}, from which all {len(documents)} files are reached")
