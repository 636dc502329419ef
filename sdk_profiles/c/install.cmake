# Builds the device program in the folder this is run in: `cmake -P install.cmake` with the SDK of Cargo.lock,
# `cmake -DCRATE=0.4.0 -P install.cmake` with that of another version of the crate,
# `cmake -DINSTALLED=PREFIX -P install.cmake` with the CMake package azure_iot_sdks and those it needs, installed below PREFIX.
#
# No system package carries the SDK. The crate azure-iot-rs-sys does, with all its submodules: cargo fetches it at the version and the
# checksum of Cargo.lock and unpacks it. Nothing of it in Rust is compiled.
cmake_minimum_required(VERSION 3.16)

# Run a command of which the log shows everything; `remedy` is said where it fails.
function(run remedy)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE ended)
  if(ended)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "`${command}` ended with ${ended}. ${remedy}")
  endif()
endfunction()

if(INSTALLED)
  set(sdk -DCMAKE_PREFIX_PATH=${INSTALLED})
else()
  if(CRATE)
    file(READ Cargo.toml manifest)
    string(REGEX REPLACE "(azure-iot-rs-sys = \"=)[^\"]*" "\\1${CRATE}" manifest "${manifest}")
    file(WRITE Cargo.toml "${manifest}")
    run("It needs cargo and, this once, the registry of crates" cargo generate-lockfile)
  endif()
  run("It needs cargo 1.85 or newer: apt-get install cargo-web on Debian 12, cargo on later ones" cargo vendor --locked vendor)
  set(sdk -DSDK_SOURCE=${CMAKE_CURRENT_BINARY_DIR}/vendor/azure-iot-rs-sys/azure-iot-sdk-c)
endif()
if(NOT DEFINED ENV{CMAKE_BUILD_PARALLEL_LEVEL})
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  set(ENV{CMAKE_BUILD_PARALLEL_LEVEL} ${cores})
endif()
run("It needs build-essential libssl-dev uuid-dev, by their names in Debian" ${CMAKE_COMMAND} -S . -B build ${sdk})
run("The compiler says above what is wrong" ${CMAKE_COMMAND} --build build --target device)
file(RENAME build/device device)
file(REMOVE_RECURSE build vendor)
