// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Rbac.V3;

namespace Weft.Wire.Plans;

/// <summary>How a tree of conditions says and, or, not and anything; principals and permissions are alike but for their types.</summary>
internal interface INodeForm<T>
{
    /// <summary>What must all hold; null for another kind of node.</summary>
    IReadOnlyList<T>? All(T node);

    IReadOnlyList<T>? AnyOf(T node);

    T? Not(T node);

    bool IsAnything(T node);
}

/// <summary>The nodes about a caller.</summary>
internal sealed class PrincipalForm : INodeForm<Principal>
{
    public static PrincipalForm Instance { get; } = new();

    public IReadOnlyList<Principal>? All(Principal node) => node.AndIds?.Ids;

    public IReadOnlyList<Principal>? AnyOf(Principal node) => node.OrIds?.Ids;

    public Principal? Not(Principal node) => node.NotId;

    public bool IsAnything(Principal node) => node.IdentifierCase == Principal.IdentifierOneofCase.Any && node.Any;
}

/// <summary>The nodes about what is asked for.</summary>
internal sealed class PermissionForm : INodeForm<Permission>
{
    public static PermissionForm Instance { get; } = new();

    public IReadOnlyList<Permission>? All(Permission node) => node.AndRules?.Rules;

    public IReadOnlyList<Permission>? AnyOf(Permission node) => node.OrRules?.Rules;

    public Permission? Not(Permission node) => node.NotRule;

    public bool IsAnything(Permission node) => node.RuleCase == Permission.RuleOneofCase.Any && node.Any;
}
