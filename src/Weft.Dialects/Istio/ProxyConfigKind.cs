// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;

namespace Weft.Dialects.Istio;

/// <summary>ProxyConfig: settings of proxies by namespace and label. They are laid under a pod's own when the pod gets its proxy.</summary>
internal static class ProxyConfigKind
{
    private const int MaxConcurrency = 256;

    // A proxy is the same program whatever it is packed in.
    private static readonly Choices<bool> _images = new(("default", true), ("debug", true), ("distroless", true));

    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec is not null)
        {
            Selectors.Read(spec, "selector");
            spec.Integer("concurrency", 0, MaxConcurrency);
            foreach (var (_, value) in spec.Map("environmentVariables"))
            {
                value.AsText();
            }

            if (spec.Child("image") is { } image)
            {
                image.Choice("imageType", _images);
                image.Finish();
            }

            spec.Finish();
        }

        return ParsedContent.Nothing;
    }
}
