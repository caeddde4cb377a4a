// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Kubernetes;

/// <summary>One line of a watch. Type is <c>ADDED</c>, <c>MODIFIED</c>, <c>DELETED</c> or <c>BOOKMARK</c>; errors are thrown.</summary>
public sealed record WatchEvent(string Type, JsonObject Object);

/// <summary>What happened to an object in an informer's cache.</summary>
public enum ChangeType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One change of an informer's cache; for a deletion <paramref name="Object"/> is the last state.</summary>
public sealed record Change(ChangeType Type, JsonObject Object, JsonObject? Previous);
