// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Plan;

namespace Weft.Compiler;

/// <summary>What one proxy must do, and what was found wrong with the intents on the way.</summary>
/// <param name="Plan">For the proxy.</param>
/// <param name="Mesh">What it was compiled from.</param>
/// <param name="Findings">What only this client shows.</param>
public sealed record CompiledPlan(ProxyPlan Plan, MeshSnapshot Mesh, EquatableArray<Diagnostic> Findings)
{
    /// <summary>What the whole mesh shows, and this client. The mesh is looked through when somebody asks: plans do not wait for it.</summary>
    public EquatableArray<Diagnostic> Diagnostics => Findings.Count == 0 ? Mesh.Diagnostics : [.. Mesh.Diagnostics, .. Findings];
}
