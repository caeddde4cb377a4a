// SPDX-License-Identifier: Apache-2.0

namespace Weft.Wire.Tables;

/// <summary>Which rows of a table are wanted; null and empty take everything.</summary>
public sealed record TableFilter(
    string? Name = null,
    string? Fqdn = null,
    int? Port = null,
    string? Subset = null,
    string? Direction = null,
    string? Address = null,
    string? Cluster = null,
    string? Status = null);
