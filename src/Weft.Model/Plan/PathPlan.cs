// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>What is done to a request's path before any route or policy sees it; the server then gets that same path.</summary>
/// <param name="Normalize">Decode unreserved characters, resolve dot segments, take backslashes for slashes; refuse malformed escapes.</param>
/// <param name="MergeSlashes">Neighbouring slashes become one.</param>
/// <param name="EscapedSlashes">What becomes of %2F and %5C.</param>
public sealed record PathPlan(bool Normalize, bool MergeSlashes, EscapedSlashes EscapedSlashes)
{
    /// <summary>Paths stay as they were sent (Istio's NONE).</summary>
    public static PathPlan Verbatim { get; } = new(false, false, EscapedSlashes.Keep);

    /// <summary>Istio's BASE, which is its DEFAULT.</summary>
    public static PathPlan Basic { get; } = new(true, false, EscapedSlashes.Keep);

    /// <summary>Istio's MERGE_SLASHES.</summary>
    public static PathPlan Merged { get; } = new(true, true, EscapedSlashes.Keep);

    /// <summary>Istio's DECODE_AND_MERGE_SLASHES.</summary>
    public static PathPlan Decoded { get; } = new(true, true, EscapedSlashes.Decode);
}

/// <summary>What becomes of escaped slashes in a path.</summary>
public enum EscapedSlashes
{
    /// <summary>They are data.</summary>
    Keep,

    /// <summary>The request is refused with 400.</summary>
    Refuse,

    /// <summary>The client is redirected (307) to the path with slashes.</summary>
    Redirect,

    /// <summary>They are slashes.</summary>
    Decode,
}
