// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Compiler.Index;

/// <summary>Puts delegates' rules in the place of the rules that delegate to them. What does not fit is found fault with and left out.</summary>
internal sealed class Delegation
{
    private readonly Dictionary<(string Namespace, string Name), RouteIntent> _routes = [];
    private readonly List<Diagnostic> _findings = [];

    private Delegation(IReadOnlyList<MeshIntent> intents)
    {
        foreach (var intent in intents)
        {
            if (intent is RouteIntent route)
            {
                _routes.TryAdd((route.Origin.Namespace, route.Origin.Name), route);
            }
        }
    }

    public static (IReadOnlyList<MeshIntent> Intents, IReadOnlyList<Diagnostic> Findings) Resolve(IEnumerable<MeshIntent> intents)
    {
        var all = intents as IReadOnlyList<MeshIntent> ?? [.. intents];
        if (!all.OfType<RouteIntent>().Any(route => Delegates(route) || route.Hosts.Count == 0))
        {
            return (all, []);
        }

        var delegation = new Delegation(all);
        MeshIntent[] resolved = [.. all.Select(i => i is RouteIntent route && Delegates(route) ? delegation.Resolve(route) : i)];
        delegation.CheckUse();
        return (resolved, delegation._findings);
    }

    private void CheckUse()
    {
        var used = _routes.Values.SelectMany(r => r.Http).Select(r => r.Delegate).OfType<DelegateName>().ToHashSet();
        foreach (var ((ns, name), route) in _routes)
        {
            if (route.Hosts.Count == 0 && !used.Contains(new DelegateName(ns, name)))
            {
                _findings.Add(CompilerMessages.UnusedDelegate.At(route.Origin));
            }
        }
    }

    private static bool Delegates(RouteIntent route) => route.Http.Any(rule => rule.Delegate is not null);

    private RouteIntent Resolve(RouteIntent root)
    {
        var rules = new List<HttpRule>();
        foreach (var rule in root.Http)
        {
            if (rule.Delegate is not { } name)
            {
                rules.Add(rule);
            }
            else if (Find(root, rule, name) is { } target)
            {
                rules.AddRange(target.Http.Select(inner => Merge(rule, inner)).OfType<HttpRule>());
            }
        }

        return root with { Http = rules.ToEquatableArray() };
    }

    private RouteIntent? Find(RouteIntent root, HttpRule rule, DelegateName name)
    {
        if (!_routes.TryGetValue((name.Namespace, name.Name), out var target))
        {
            _findings.Add(CompilerMessages.UnknownDelegate.At(rule.Origin, name.ToString()));
            return null;
        }

        var reason = target.Hosts.Count > 0 ? "it has hosts of its own"
            : !target.Visibility.Includes(root.Origin.Namespace) ? $"it is not exported to namespace {root.Origin.Namespace}"
            : null;
        if (reason is not null)
        {
            _findings.Add(CompilerMessages.NotADelegate.At(rule.Origin, name.ToString(), reason));
            return null;
        }

        return target;
    }

    /// <summary>The inner rule where the outer one holds; what the inner one does not say the outer one says.</summary>
    private HttpRule? Merge(HttpRule outer, HttpRule inner)
    {
        if (Matches(outer.Matches, inner.Matches) is not { } matches)
        {
            _findings.Add(CompilerMessages.DelegateContradicts.At(inner.Origin, outer.Origin.Where));
            return null;
        }

        var saysHeaders = !inner.RequestHeaders.IsNone || !inner.ResponseHeaders.IsNone;
        return inner with
        {
            Name = outer.Name.Length > 0 && inner.Name.Length > 0 ? $"{outer.Name}-{inner.Name}" : outer.Name + inner.Name,
            Matches = matches,
            Rewrite = inner.Rewrite ?? (inner.Redirect is null && inner.Direct is null ? outer.Rewrite : null),
            TimeoutMs = inner.TimeoutMs > 0 ? inner.TimeoutMs : outer.TimeoutMs,
            Retries = inner.Retries ?? outer.Retries,
            Fault = inner.Fault ?? outer.Fault,
            Mirrors = inner.Mirrors.Count > 0 ? inner.Mirrors : outer.Mirrors,
            Cors = inner.Cors ?? outer.Cors,
            RequestHeaders = saysHeaders ? inner.RequestHeaders : outer.RequestHeaders,
            ResponseHeaders = saysHeaders ? inner.ResponseHeaders : outer.ResponseHeaders,
        };
    }

    /// <summary>Every alternative of the one together with every one of the other that it does not contradict; null if all contradict.</summary>
    private static EquatableArray<HttpMatch>? Matches(EquatableArray<HttpMatch> outer, EquatableArray<HttpMatch> inner)
    {
        if (outer.Count == 0 || inner.Count == 0)
        {
            return outer.Count == 0 ? inner : outer;
        }

        var merged = outer.SelectMany(o => inner.Select(i => MatchMerge.Both(o, i))).OfType<HttpMatch>().ToEquatableArray();
        return merged.Count == 0 ? null : merged;
    }
}
