// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Patching;

/// <summary>A patch that cannot be applied, and why.</summary>
public sealed class PatchException(string message) : Exception(message);
