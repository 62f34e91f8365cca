"""Static files that come from installed wheels: plotly.js and the typeface, subset to WOFF2.

Nothing of them is copied into the tree; `collectstatic` takes them from here, hashed for good.
"""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import brotli
from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage
from fontTools import subset
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

FONT_WEIGHTS = ("Regular", "Medium", "SemiBold")
# Latin with its extensions, punctuation, currency signs, arrows and mathematical signs used in the interface.
FONT_UNICODES = "U+0020-024F,U+1E00-1EFF,U+2000-206F,U+20A0-20BF,U+2190-2193,U+2200-2265"


def package_folder(name: str) -> Path:
    """The folder an installed package lies in, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{name} is not installed; run ./tunewise up, which installs the locked set")
    return Path(spec.origin).parent


def font_folder() -> Path:
    """The folder of the typeface's OTF files (for the PDF)."""
    return package_folder("font_hanken_grotesk") / "files"


def build_fonts(target: Path) -> None:
    """Write the subset WOFF2 files of the three weights used into `target`, unless they are there."""
    target.mkdir(parents=True, exist_ok=True)
    for weight in FONT_WEIGHTS:
        out = target / f"hanken-grotesk-{weight.lower()}.woff2"
        if not out.exists():
            source = str(font_folder() / f"HankenGrotesk-{weight}.otf")
            subset.main(
                [source, f"--unicodes={FONT_UNICODES}", "--flavor=woff2", "--layout-features=*", f"--output-file={out}"]
            )


class SwiftCompressor(Compressor):  # type: ignore[misc]  # no types
    """Brotli at quality 6: plotly.js takes 0.3 s instead of ten, for a file a tenth larger, on the first start."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        return bytes(brotli.compress(data, quality=6))


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Static files under names with their hash, compressed beside the original."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return SwiftCompressor(**kwargs)


class WheelAssetsFinder(BaseFinder):
    """Finds `vendor/plotly.min.js` and `vendor/fonts/*.woff2`."""

    def __init__(self, app_names: Any = None, *args: Any, **kwargs: Any) -> None:
        self.fonts = FileSystemStorage(location=str(Path(settings.DATA_DIR) / "assets" / "fonts"))
        self.fonts.prefix = "vendor/fonts"  # type: ignore[attr-defined]  # collectstatic reads it from the storage
        self.plotly = FileSystemStorage(location=str(package_folder("plotly") / "package_data"))
        self.plotly.prefix = "vendor"  # type: ignore[attr-defined]

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = None
        if path == "vendor/plotly.min.js":
            found = self.plotly.path("plotly.min.js")
        elif path.startswith("vendor/fonts/"):
            build_fonts(Path(self.fonts.location))
            candidate = Path(self.fonts.path(path.removeprefix("vendor/fonts/")))
            found = str(candidate) if candidate.exists() else None
        if find_all:
            return [found] if found else []
        return found or []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        build_fonts(Path(self.fonts.location))
        yield "plotly.min.js", self.plotly
        for name in sorted(self.fonts.listdir("")[1]):
            yield name, self.fonts
