/* SPDX-License-Identifier: Apache-2.0 */
/* See version.h. PACKAGE_VERSION comes from configure, on the compiler's command line. */
#include "base/version.h"

const char wsb_version[] = PACKAGE_VERSION;
