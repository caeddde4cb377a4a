// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Istio;

/// <summary>WasmPlugin: read, so that its mistakes are found, and reported as not run.</summary>
internal static class WasmPluginKind
{
    public static ParsedContent Parse(ObjectContext context)
    {
        context.Root.Ignore("status");
        var spec = context.Root.Required("spec")?.AsObject();
        context.Root.Finish();
        if (spec?.RequiredText("url") is { } url)
        {
            spec.Find("url")!.Value.Report(IstioMessages.WasmNotSupported, url);
        }

        spec?.Ignore(
            "selector", "targetRef", "targetRefs", "sha256", "imagePullPolicy", "imagePullSecret", "verificationKey", "pluginConfig", "pluginName",
            "phase", "failStrategy", "priority", "vmConfig", "match", "type");
        spec?.Finish();
        return ParsedContent.Nothing;
    }
}
