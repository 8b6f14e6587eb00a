"""Check that every link between the HTML pages of a folder leads somewhere: `python check_links.py FOLDER`."""

import sys
from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """The anchors of a page, and what it links to."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links = {""}, set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.anchors.add(value)
            elif (tag, name) == ("a", "href") and "://" not in value:
                self.links.add(value)


def broken(folder):
    """The links that lead nowhere, each with its page."""
    pages = {path.resolve(): Page(path) for path in Path(folder).rglob("*.html")}
    for path, page in pages.items():
        for link in sorted(page.links):
            file, _, anchor = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            if target not in pages or anchor not in pages[target].anchors:
                yield path, link


if __name__ == "__main__":
    found = list(broken(sys.argv[1]))
    for path, link in found:
        print(f"{path}: {link} leads nowhere")
    sys.exit(bool(found))
