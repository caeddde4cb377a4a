// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Expressions;

/// <summary>A value that may be missing: what <c>.?</c> gives, and <c>oldSelf</c> of rules that allow it to be absent.</summary>
internal sealed record Maybe(bool HasValue, object? Value)
{
    public static Maybe Nothing { get; } = new(false, null);
}
