// SPDX-License-Identifier: Apache-2.0

namespace Weft.Model.Plan;

/// <summary>Compresses answers for clients that take it.</summary>
/// <param name="Coding">In which format.</param>
/// <param name="Level">0 for the format's usual one; 1 is fast, 9 (of brotli 11) is small.</param>
/// <param name="MinLength">A shorter body, where its length is known, stays as it is; 30 is Envoy's.</param>
/// <param name="ContentTypes">Without parameters, lower case; at least one.</param>
public sealed record CompressorPlan(ContentCoding Coding, int Level, int MinLength, EquatableArray<string> ContentTypes)
{
    public const int DefaultMinLength = 30;

    /// <summary>Envoy's list.</summary>
    public static EquatableArray<string> DefaultTypes { get; } =
    [
        "application/javascript", "application/json", "application/xhtml+xml", "image/svg+xml", "text/css", "text/html", "text/plain", "text/xml",
    ];

    /// <summary>An answer with an etag stays as it is; else a strong one is taken off.</summary>
    public bool SparesTagged { get; init; }

    /// <summary>Servers do not hear what clients take, so that they leave compressing to the proxy.</summary>
    public bool HidesAccepted { get; init; }
}

/// <summary>A format of compressed bodies.</summary>
public enum ContentCoding
{
    Gzip,
    Brotli,
}
