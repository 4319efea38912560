/* SPDX-License-Identifier: Apache-2.0 */
/* The vector routines that look bytes up, which takes SSSE3; nothing on other processors. */
#include "base/cpu.h"

#if defined(__x86_64__)
#define VEC_SSSE3
#include "base/vec_base64.h"
#include "base/vec_utf8.h"
#endif
