// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Model.Diagnostics;

namespace Weft.ApiServer;

/// <summary>What the composition root adds to the admission of objects.</summary>
/// <param name="MutatePod">Gets a new pod and its namespace, returns the pod to store.</param>
/// <param name="Validate">Looks at an object about to be stored; errors refuse it, the rest are shown as warnings.</param>
public sealed record AdmissionHooks(
    Func<JsonObject, JsonObject?, JsonObject> MutatePod,
    Func<JsonObject, IReadOnlyList<Diagnostic>> Validate)
{
    /// <summary>Admits everything unchanged.</summary>
    public static AdmissionHooks None { get; } = new((pod, _) => pod, _ => []);
}
