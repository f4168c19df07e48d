# Everything comes from Debian 12's packages; `./dev setup` installs them.
find_package(PkgConfig REQUIRED)
find_package(absl REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
# Its gtest glue is a header that Debian installs beside the library.
find_package(rapidcheck REQUIRED)
find_package(OpenSSL REQUIRED)
pkg_check_modules(UUID REQUIRED IMPORTED_TARGET uuid)
find_package(Protobuf REQUIRED)

if(NOT STELLWERK_PURE_ONLY)
  find_package(spdlog REQUIRED)
  find_package(gRPC REQUIRED)
  find_package(Boost 1.81 REQUIRED)
  find_package(tomlplusplus REQUIRED)
  pkg_check_modules(LIBVIRT REQUIRED IMPORTED_TARGET libvirt libvirt-qemu)
  pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
  pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
  pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
  pkg_check_modules(NLROUTE REQUIRED IMPORTED_TARGET libnl-route-3.0)
  find_path(GOOGLE_RPC_PROTO_DIR google/rpc/error_details.proto
    PATHS /usr/share/gocode/src/github.com/gogo/googleapis REQUIRED)
endif()
