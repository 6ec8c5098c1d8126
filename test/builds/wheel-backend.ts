// A build backend for a Python package "sample" (PEP 517), so that nothing has to be fetched to make a wheel of it.

/** @param check a line of Python that runs before each build, with `os` at hand */
export const wheelBackend = (check = "pass"): string => `import os, zipfile
def build_wheel(folder, settings=None, metadata=None):
    ${check}
    name = "sample-1.0-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.write("sample.py")
        wheel.writestr("sample-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: sample\\nVersion: 1.0\\n")
        wheel.writestr("sample-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("sample-1.0.dist-info/RECORD", "")
    return name
`;
