// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>AuthorizationPolicy: who may do what.</summary>
internal static class AuthorizationPolicyKind
{
    private const string DryRun = "istio.io/dry-run";

    private static readonly Choices<AccessAction> _actions = new(
        ("ALLOW", AccessAction.Allow), ("DENY", AccessAction.Deny), ("AUDIT", AccessAction.Audit), ("CUSTOM", AccessAction.Ask));

    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");

        // Without a spec it allows nothing to anybody, as with an empty one.
        var spec = context.Root.Child("spec");
        context.Root.Finish();
        var (action, selector) = (AccessAction.Allow, (Model.World.LabelSelector?)null);
        var rules = EquatableArray.Create<AccessRule>([]);
        if (spec is not null)
        {
            action = spec.Choice("action", _actions) ?? AccessAction.Allow;
            selector = Selectors.Read(spec, "selector");
            RefuseTargets(spec);
            ReadProvider(spec, action);
            rules = [.. spec.Children("rules").Select(rule => AuthorizationRules.Read(rule, action, context.Metadata.Namespace))];
            if (rules.Count == 0 && action is not AccessAction.Allow)
            {
                spec.Findings.Add(IstioMessages.PolicyWithoutRules, spec.Find("action")!.Value.Place, spec.Text("action")!);
            }

            spec.Finish();
        }

        return new ParsedContent(new AccessIntent(context.Origin, context.Metadata.CreatedAt, context.Metadata.Namespace, selector, action, rules)
        {
            IsDryRun = ReadDryRun(context, action),
        });
    }

    private static void RefuseTargets(ObjectReader spec)
    {
        foreach (var name in new[] { "targetRef", "targetRefs" })
        {
            if (spec.Find(name) is { } target)
            {
                spec.Findings.Add(IstioMessages.TargetsNotSupported, target.KeyPlace, target.Path);
            }
        }
    }

    private static void ReadProvider(ObjectReader spec, AccessAction action)
    {
        var provider = spec.Child("provider");
        provider?.RequiredText("name");
        provider?.Finish();
        if (provider is null == action is AccessAction.Ask)
        {
            spec.Findings.Add(IstioMessages.ProviderIsForCustom, provider?.Place ?? spec.Find("action")!.Value.Place);
        }
        else if (provider is not null)
        {
            spec.Findings.Add(IstioMessages.NobodyIsAsked, provider.Place, provider.Text("name") ?? "");
        }
    }

    private static bool ReadDryRun(ObjectContext context, AccessAction action)
    {
        var annotations = new Annotations(context);
        switch (annotations.Text(DryRun))
        {
            case null or "false":
                return false;
            case "true" when action is AccessAction.Allow or AccessAction.Deny:
                return true;
            case "true":
                context.Findings.Add(IstioMessages.DryRunAction.At(annotations.OriginOf(DryRun)));
                return false;
            case var other:
                // Taken for a policy in force it could shut people out, taken for a dry run it could let them in: neither was asked for.
                context.Findings.Add(IstioMessages.BadPolicyValue.At(annotations.OriginOf(DryRun), other, DryRun, "it must be \"true\" or \"false\""));
                return false;
        }
    }
}
