"""Chromium without a window, for tests of what it draws."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

from ngffseg.viewer import screenshot

SIZE = {"width": 1000, "height": 800}


@pytest.fixture(scope="module")
def chromium():
    path = next((found for name in screenshot.BROWSERS if (found := shutil.which(name))), None)
    assert path, "Chromium is missing: apt-get install chromium (.ci/run)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*screenshot.FLAGS, "--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    opened = chromium.new_page(viewport=SIZE)
    yield opened
    opened.close()
