// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;
using Weft.Model.Plan;
using Weft.Model.World;

namespace Weft.Model.Intent;

/// <summary>
/// Who may do what at some workloads (Istio's AuthorizationPolicy). No selector: its whole namespace, or the mesh when it is in the root
/// namespace. Any refusal wins; then every dialect that says who may pass must let pass.
/// </summary>
/// <param name="Origin">The object it came from.</param>
/// <param name="CreatedAt">Of no consequence: policies add up.</param>
/// <param name="Namespace">The object's own.</param>
/// <param name="Selector">Null for all workloads of its scope.</param>
/// <param name="Action">What a rule that holds means.</param>
/// <param name="Rules">None at all: nothing holds, so that <see cref="AccessAction.Allow"/> lets nobody pass.</param>
public sealed record AccessIntent(
    Origin Origin,
    DateTimeOffset CreatedAt,
    string Namespace,
    LabelSelector? Selector,
    AccessAction Action,
    EquatableArray<AccessRule> Rules) : MeshIntent(Origin, CreatedAt)
{
    /// <summary>Judged and counted only.</summary>
    public bool IsDryRun { get; init; }

    /// <summary>The workload's ports that it is for; none for all of them.</summary>
    public EquatableArray<int> Ports { get; init; } = [];
}

/// <summary>What an operator wants of those for whom a rule holds.</summary>
public enum AccessAction
{
    Allow,
    Deny,
    Audit,

    /// <summary>Somebody else is asked. As long as nobody is, they are refused.</summary>
    Ask,
}

/// <summary>Holds if one alternative of each of the first two holds (none: any), and every clause of <paramref name="When"/>.</summary>
/// <param name="From">About the caller.</param>
/// <param name="To">About what is asked for.</param>
/// <param name="When">Further conditions.</param>
/// <param name="Origin">The rule's place in its object.</param>
public sealed record AccessRule(
    EquatableArray<AuthorizationTermPlan> From,
    EquatableArray<AuthorizationTermPlan> To,
    EquatableArray<AuthorizationClausePlan> When,
    Origin Origin)
{
    /// <summary>
    /// Something that was written is not among the clauses, because nothing here can decide it: such a rule never lets pass, and one that
    /// refuses does so as if it had not been written.
    /// </summary>
    public bool IsIncomplete { get; init; }
}
