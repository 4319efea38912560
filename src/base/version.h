/* SPDX-License-Identifier: Apache-2.0 */
/* The version of this build, as configure.ac names it: "0.1.0". */
#ifndef WSB_BASE_VERSION_H
#define WSB_BASE_VERSION_H

extern const char wsb_version[];

#endif
