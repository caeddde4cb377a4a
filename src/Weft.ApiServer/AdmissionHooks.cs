// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Model.Diagnostics;

namespace Weft.ApiServer;

/// <summary>What the composition root adds to the admission of objects.</summary>
/// <param name="MutatePod">Gets a new pod, its namespace, and the objects of the store; returns the pod to store.</param>
/// <param name="Validate">Looks at an object about to be stored; errors refuse it, the rest are shown as warnings.</param>
public sealed record AdmissionHooks(
    Func<JsonObject, JsonObject?, StoredObjects, JsonObject> MutatePod,
    Func<JsonObject, IReadOnlyList<Diagnostic>> Validate)
{
    /// <summary>Looks at an object beside what the store has; all that it finds are warnings. It may look at a few objects, never at all.</summary>
    public Func<JsonObject, StoredObjects, IReadOnlyList<Diagnostic>> Consider { get; init; } = (_, _) => [];

    /// <summary>Admits everything unchanged.</summary>
    public static AdmissionHooks None { get; } = new((pod, _, _) => pod, _ => []);
}

/// <summary>The objects of the store, by resource and namespace.</summary>
/// <param name="Find">One by its name; null if there is none.</param>
/// <param name="List">All of a namespace.</param>
public sealed record StoredObjects(Func<string, string, string, JsonObject?> Find, Func<string, string, IEnumerable<JsonObject>> List);
