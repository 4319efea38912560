# SPDX-License-Identifier: Apache-2.0
# Compiler and linker flags are tried one by one, so that an older compiler
# loses one flag instead of the build. -Werror and, for clang, the unknown-option
# warnings turn "ignored" into "refused".

# WSB_TRY_FLAG(KIND, VARIABLE, FLAG, COMPILE-FLAGS, LINK-FLAGS)
AC_DEFUN([WSB_TRY_FLAG], [
	AS_VAR_PUSHDEF([wsb_cache], [wsb_cv_$1_$3])
	AC_CACHE_CHECK([whether $CC accepts $3], [wsb_cache], [
		wsb_save_CFLAGS=$CFLAGS
		wsb_save_LDFLAGS=$LDFLAGS
		CFLAGS="$CFLAGS -Werror $wsb_strict_flags $4"
		LDFLAGS="$LDFLAGS $5"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[puts("");]])],
			[AS_VAR_SET([wsb_cache], [yes])], [AS_VAR_SET([wsb_cache], [no])])
		CFLAGS=$wsb_save_CFLAGS
		LDFLAGS=$wsb_save_LDFLAGS
	])
	AS_VAR_IF([wsb_cache], [yes], [AS_VAR_APPEND([$2], [" $3"])])
	AS_VAR_POPDEF([wsb_cache])
])

# WSB_CFLAG(VARIABLE, FLAG): appends FLAG to VARIABLE if the compiler takes it.
AC_DEFUN([WSB_CFLAG], [
	AC_REQUIRE([WSB_STRICT_FLAGS])
	WSB_TRY_FLAG([cflag], [$1], [$2], [$2], [])
])

# WSB_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([WSB_LDFLAG], [
	AC_REQUIRE([WSB_STRICT_FLAGS])
	WSB_TRY_FLAG([ldflag], [$1], [$2], [], [$2])
])

# WSB_BOTHFLAG(VARIABLE, FLAG): for flags such as -fsanitize=address that compiler and linker
# must get together; tried in both, appended to VARIABLE.
AC_DEFUN([WSB_BOTHFLAG], [
	AC_REQUIRE([WSB_STRICT_FLAGS])
	WSB_TRY_FLAG([bothflag], [$1], [$2], [$2], [$2])
])

AC_DEFUN([WSB_STRICT_FLAGS], [
	AC_REQUIRE([AC_PROG_CC])
	AC_CACHE_CHECK([which flag makes $CC refuse unknown flags], [wsb_cv_strict_flags], [
		wsb_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror -Wunknown-warning-option -Wunused-command-line-argument"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[wsb_cv_strict_flags="-Wunknown-warning-option -Wunused-command-line-argument"],
			[wsb_cv_strict_flags=""])
		CFLAGS=$wsb_save_CFLAGS
	])
	wsb_strict_flags=$wsb_cv_strict_flags
])
