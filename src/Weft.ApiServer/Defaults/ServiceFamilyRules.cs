// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Defaults;

/// <summary>What a service may not say of its families and addresses.</summary>
internal static class ServiceFamilyRules
{
    private const string Addresses = "spec.clusterIPs";
    private const string Families = "spec.ipFamilies";
    private const string Policy = "spec.ipFamilyPolicy";
    private const string None = "None";

    /// <summary>Fields that are wrong by themselves, and pairs that contradict each other.</summary>
    public static void CheckForm(JsonObject spec, IReadOnlyList<string> policies, IReadOnlyList<string> supported, List<FieldError> errors)
    {
        if (spec.Text("ipFamilyPolicy") is { } policy && !policies.Contains(policy))
        {
            errors.Add(FieldError.NotSupported(Policy, policy, policies));
        }

        var families = ServiceFamilies.Texts(spec["ipFamilies"]);
        for (var i = 0; i < families.Count; i++)
        {
            if (!supported.Contains(families[i]))
            {
                errors.Add(FieldError.NotSupported($"{Families}[{i}]", families[i], supported));
            }
            else if (families.IndexOf(families[i]) < i)
            {
                errors.Add(FieldError.Duplicate($"{Families}[{i}]", families[i]));
            }
        }

        CheckAddresses(spec, families, errors);
    }

    /// <summary>One family cannot have two of anything.</summary>
    public static void CheckSingle(JsonObject spec, List<string> families, List<FieldError> errors)
    {
        var (addresses, policy) = (ServiceFamilies.Texts(spec["clusterIPs"]), spec.Text("ipFamilyPolicy"));
        if (addresses.Count == 2)
        {
            errors.Add(FieldError.Invalid(Policy, policy, "must be RequireDualStack or PreferDualStack when multiple 'clusterIPs' are specified"));
        }

        if (families.Count == 2 && ServiceFamilies.Texts(spec["ipFamilies"]).Count == 2)
        {
            errors.Add(FieldError.Invalid(Policy, policy, "must be RequireDualStack or PreferDualStack when multiple 'ipFamilies' are specified"));
        }
    }

    /// <summary>What stays for a service's life, and how a second family is given up.</summary>
    public static void CheckChange(JsonObject spec, JsonObject? old, List<FieldError> errors)
    {
        if (old is null || old.Text("type") is "ExternalName" || spec.Text("type") is "ExternalName")
        {
            return;
        }

        var (before, after) = (ServiceFamilies.Texts(old["clusterIPs"]), ServiceFamilies.Texts(spec["clusterIPs"]));
        var (headless, headlessNow) = (before is [None], after is [None]);
        if (headless && headlessNow)
        {
            return;
        }

        CheckChange(before, after, spec, (Addresses, "clusterIP", Strings(after)), errors);
        if (!headless && !headlessNow)
        {
            var families = ServiceFamilies.Texts(spec["ipFamilies"]);
            CheckChange(ServiceFamilies.Texts(old["ipFamilies"]), families, spec, (Families, "ipFamily", new Verbatim($"[]core.IPFamily{{{Quoted(families)}}}")), errors);
        }
    }

    public static Verbatim Strings(IEnumerable<string> texts) => new($"[]string{{{Quoted(texts)}}}");

    private static string Quoted(IEnumerable<string> texts) => string.Join(", ", texts.Select(text => $"\"{text}\""));

    private static void CheckChange(
        List<string> before, List<string> after, JsonObject spec, (string Name, string One, Verbatim Shown) field, List<FieldError> errors)
    {
        for (var i = 0; i < Math.Min(before.Count, after.Count); i++)
        {
            if (before[i] != after[i])
            {
                errors.Add(FieldError.Invalid($"{field.Name}[{i}]", field.Shown, "may not change once set"));
            }
        }

        if (before.Count == 2 && after.Count == 1 && spec.Text("ipFamilyPolicy") is not ServiceFamilies.Single)
        {
            errors.Add(FieldError.Invalid(
                Policy, spec.Text("ipFamilyPolicy"), $"must be set to 'SingleStack' when releasing the secondary {field.One}"));
        }
    }

    private static void CheckAddresses(JsonObject spec, List<string> families, List<FieldError> errors)
    {
        var (first, addresses) = (spec.Text("clusterIP") ?? "", ServiceFamilies.Texts(spec["clusterIPs"]));
        if (first.Length == 0 && addresses.Count > 0)
        {
            errors.Add(FieldError.Invalid(Addresses, Strings(addresses), "must be empty when `clusterIP` is not specified"));
        }
        else if (addresses.Count > 0 && addresses[0] != first)
        {
            errors.Add(FieldError.Invalid(Addresses, Strings(addresses), "first value must match `clusterIP`"));
        }

        var wrong = errors.Count;
        for (var i = 0; i < addresses.Count; i++)
        {
            if (addresses[i] is None)
            {
                if (addresses.Count > 1)
                {
                    errors.Add(FieldError.Invalid(Addresses, Strings(addresses), "'None' must be the first and only value"));
                }
            }
            else if (!IPAddress.TryParse(addresses[i], out _))
            {
                errors.Add(FieldError.Invalid($"{Addresses}[{i}]", addresses[i], "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
            }
        }

        if (addresses.Count > 2)
        {
            errors.Add(FieldError.Invalid(Addresses, Strings(addresses), "may only hold up to 2 values"));
        }

        if (errors.Count > wrong || first is None)
        {
            return;
        }

        var found = addresses.Select(address => ServiceFamilies.FamilyOf(IPAddress.Parse(address))).ToList();
        if (found.Count == 2 && found[0] == found[1])
        {
            errors.Add(FieldError.Invalid(Addresses, Strings(addresses), "may specify no more than one IP for each IP family"));
        }

        for (var i = 0; i < Math.Min(found.Count, families.Count); i++)
        {
            if (found[i] != families[i])
            {
                errors.Add(FieldError.Invalid($"{Addresses}[{i}]", addresses[i], $"expected an {families[i]} value as indicated by `ipFamilies[{i}]`"));
            }
        }
    }
}
