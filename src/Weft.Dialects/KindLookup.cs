// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Kubernetes;
using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;

namespace Weft.Dialects;

/// <summary>Finds the kind of an object, or says what is wrong with its apiVersion and kind.</summary>
internal static class KindLookup
{
    public static DialectKind? Find(ObjectReader root, string apiVersion, string kind)
    {
        if (Dialects.FindKind(apiVersion, kind) is { } found)
        {
            return found;
        }

        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        var group = slash < 0 ? "" : apiVersion[..slash];
        var known = Dialects.Kinds.Where(candidate => string.Equals(candidate.Group, group, StringComparison.Ordinal)).ToList();
        var sameKind = known.Find(candidate => string.Equals(candidate.Kind, kind, StringComparison.Ordinal));
        if (sameKind is not null)
        {
            root.Find("apiVersion")!.Value.Report(
                ReadingMessages.UnknownVersion, kind, apiVersion, string.Join(" or ", sameKind.ApiVersions));
            return null;
        }

        // Groups of the mesh are read as a whole. In Kubernetes' own there are many more kinds than the mesh looks at.
        if (known.Exists(candidate => candidate.Dialect is not KubernetesDialect.Name))
        {
            var place = root.Find("kind")!.Value.Place;
            if (NearestName.Of(kind, known.Select(candidate => candidate.Kind)) is { } nearest)
            {
                root.Findings.AddWithCure($"Did you mean '{nearest}'?", ReadingMessages.UnknownKind, place, kind, group);
            }
            else
            {
                root.Findings.Add(ReadingMessages.UnknownKind, place, kind, group);
            }

            return null;
        }

        root.Findings.Add(ReadingMessages.KindNotRead, root.Place, kind, apiVersion);
        return null;
    }
}
