/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vector routines for AVX2; nothing on other processors. The trap: what is
 * too short for them goes to their narrower forms, so these must be called with
 * no vector in use, or the processor waits.
 */
#include "base/cpu.h"

#if defined(__x86_64__)
#define VEC_AVX2
#include "base/vec_base64.h"
#include "base/vec_json.h"
#include "base/vec_search.h"
#include "base/vec_utf8.h"
#include "base/vec_xor.h"
#endif
