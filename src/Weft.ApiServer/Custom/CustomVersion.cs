// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Custom;

/// <summary>One version of a custom kind: its schema, its columns and the paths of its subresources.</summary>
internal sealed record CustomVersion
{
    public required string Name { get; init; }

    public required StructuralSchema Schema { get; init; }

    /// <summary>The schema as it was written, for OpenAPI.</summary>
    public required JsonObject Document { get; init; }

    public required TableLayout Layout { get; init; }

    public bool HasStatus { get; init; }

    public ScalePaths? Scale { get; init; }

    public string[] SelectableFields { get; init; } = [];

    /// <summary>Said with every answer in this version when it is deprecated.</summary>
    public string? Deprecation { get; init; }
}

/// <summary>Where an object keeps what the scale subresource shows.</summary>
internal sealed record ScalePaths(ColumnPath Wished, ColumnPath Actual, ColumnPath? Selector);
