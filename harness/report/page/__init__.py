"""The comparison as a page in one file: no network, readable without a script, with the logs of its cells packed inside.

`document` puts it together from the parts: `matrix` (SDKs, transports, scenarios), `claims`, `cells` (one by one), `drawing` (their pictures), `packing`. The
first table is `harness.report.answers`. The templates, the style and the script stand in `assets`.
"""

from harness.report.page.document import html_page

__all__ = ["html_page"]
