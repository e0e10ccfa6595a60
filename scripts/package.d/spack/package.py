# A recipe for Spack, which installs the tarball of scripts/package. Copy it to packages/dlp-lua in a Spack
# repository, insert the tarball's address and `sha256sum`, and run `spack install dlp-lua`.
#
# Checked by Python's parser, but not tried with Spack.

from spack.package import *


class DlpLua(Package):
    """One Lua function over many examples on many processes: on all cores, over ssh, under mpiexec or srun."""

    homepage = "https://example.org/dlp-lua"
    url = "https://example.org/dlp-lua/dlp-lua-0.1.0-linux-x86_64.tar.gz"

    license("MIT")

    version("0.1.0", sha256="0000000000000000000000000000000000000000000000000000000000000000")

    # The programs are already built. They need glibc 2.28 or newer, open the MPI that they find at run time, and
    # contain Lua.
    conflicts("platform=darwin", msg="Linux only")
    conflicts("target=aarch64:", msg="the tarball is for x86_64")

    def install(self, spec, prefix):
        install_tree(".", prefix)

    @run_after("install")
    @on_package_attributes(run_tests=True)
    def check_install(self):
        Executable(self.prefix.bin.ameexec)("-np", "2", self.prefix.bin.join("dlp-lua"), "--info")
