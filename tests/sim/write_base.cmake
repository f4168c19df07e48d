# Writes the id of the checked-out commit into a header, only if it changed.
execute_process(COMMAND git -C ${SOURCE} rev-parse HEAD
  OUTPUT_VARIABLE base OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed OR NOT base)
  set(base "no-commit")
endif()
file(CONFIGURE OUTPUT ${HEADER} CONTENT "#pragma once\n#define STELLWERK_SIM_BASE \"${base}\"\n")
