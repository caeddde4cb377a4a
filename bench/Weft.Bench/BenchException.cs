// SPDX-License-Identifier: Apache-2.0

namespace Weft.Bench;

/// <summary>A measurement that cannot be made; the message is for the person who asked.</summary>
internal sealed class BenchException(string message, Exception? inner = null) : Exception(message, inner);
