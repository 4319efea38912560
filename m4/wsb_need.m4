# SPDX-License-Identifier: Apache-2.0
# WSB_NEED(VARIABLE, MODULE, VERSION, NAME, DEBIAN-PACKAGE)
# Requires a library by pkg-config; sets VARIABLE_CFLAGS and VARIABLE_LIBS.
AC_DEFUN([WSB_NEED], [
	PKG_CHECK_MODULES([$1], [$2 >= $3], [],
		[AC_MSG_ERROR([$4 >= $3 not found: apt-get install $5])])
])
