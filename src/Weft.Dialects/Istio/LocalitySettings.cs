// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model;
using Weft.Model.Diagnostics;
using Weft.Model.Intent;

namespace Weft.Dialects.Istio;

/// <summary>localityLbSetting: which localities serve a client.</summary>
internal static class LocalitySettings
{
    private const int MaxPercent = 100;
    private const int MaxParts = 3;

    public static LocalityPolicy Read(ObjectReader setting)
    {
        setting.Exclusive("distribute", "failover", "failoverPriority");
        var enabled = setting.Boolean("enabled") ?? true;
        var policy = new LocalityPolicy(
            enabled, ReadShares(setting), ReadFailover(setting), [.. setting.Texts("failoverPriority").Select(ReadLabel)]);
        setting.Finish();
        return policy;
    }

    private static EquatableArray<LocalityShares> ReadShares(ObjectReader setting)
    {
        var shares = new List<LocalityShares>();
        foreach (var reader in setting.Children("distribute"))
        {
            var from = reader.Required("from") is { } place ? ReadLocality(place) : "";
            if (shares.Exists(earlier => earlier.From == from))
            {
                reader.Findings.Add(IstioMessages.DuplicateLocality, reader.Place, from, $"{setting.Path}.distribute");
            }

            var to = new List<LocalityShare>();
            reader.Required("to");
            foreach (var (locality, field) in reader.Map("to"))
            {
                if (LocalityProblem(locality) is { } problem)
                {
                    reader.Findings.Add(IstioMessages.BadLocality, field.KeyPlace, locality, field.Path, problem);
                }

                to.Add(new LocalityShare(locality, field.AsInteger(1, MaxPercent) ?? 0));
            }

            var sum = to.Sum(share => (long)share.Percent);
            if (reader.Find("to") is { } list && sum != MaxPercent && to.TrueForAll(share => share.Percent > 0))
            {
                list.Report(IstioMessages.LocalityShares, list.Path, sum.ToString(System.Globalization.CultureInfo.InvariantCulture));
            }

            reader.Finish();
            shares.Add(new LocalityShares(from, [.. to]));
        }

        return [.. shares];
    }

    private static EquatableArray<RegionFailover> ReadFailover(ObjectReader setting)
    {
        var failover = new List<RegionFailover>();
        foreach (var reader in setting.Children("failover"))
        {
            var (from, to) = (ReadRegion(reader, "from"), ReadRegion(reader, "to"));
            if (from.Length > 0 && from == to)
            {
                reader.Find("to")!.Value.Report(IstioMessages.BadLocality, to, $"{reader.Path}.to", "it is the region that is left");
            }

            if (failover.Exists(earlier => earlier.From == from))
            {
                reader.Findings.Add(IstioMessages.DuplicateLocality, reader.Place, from, $"{setting.Path}.failover");
            }

            reader.Finish();
            failover.Add(new RegionFailover(from, to));
        }

        return [.. failover];
    }

    private static string ReadRegion(ObjectReader reader, string name)
    {
        if (reader.RequiredText(name) is not { } region)
        {
            return "";
        }

        if (region.AsSpan().ContainsAny('/', '*'))
        {
            reader.Find(name)!.Value.Report(IstioMessages.BadLocality, region, $"{reader.Path}.{name}", "only a region can stand here");
        }

        return region;
    }

    private static string ReadLocality(Field field)
    {
        if (field.AsText() is not { } locality)
        {
            return "";
        }

        if (LocalityProblem(locality) is { } problem)
        {
            field.Report(IstioMessages.BadLocality, locality, field.Path, problem);
        }

        return locality;
    }

    private static string? LocalityProblem(string locality)
    {
        var parts = locality.Split('/');
        return locality.Length == 0 ? "it is empty"
            : parts.Length > MaxParts ? "it has more than three parts"
            : parts.Any(part => part.Length == 0) ? "a part of it is empty"
            : parts.Any(part => part.Length > 1 && part.Contains('*', StringComparison.Ordinal)) ? "'*' stands for a whole part"
            : parts.SkipWhile(part => part is not "*").Any(part => part is not "*") ? "nothing but '*' can follow '*'"
            : null;
    }

    private static string ReadLabel(KeyValuePair<string, Field> label)
    {
        var (text, field) = label;
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        var (key, value) = equals < 0 ? (text, "") : (text[..equals], text[(equals + 1)..]);
        if (LabelSyntax.KeyProblem(key) is { } problem)
        {
            field.Report(KubernetesMessages.BadLabelKey, key, problem);
        }
        else if (LabelSyntax.ValueProblem(value) is { } wrong)
        {
            field.Report(KubernetesMessages.BadLabelValue, value, key, wrong);
        }

        return text;
    }
}
