// SPDX-License-Identifier: Apache-2.0

using Envoy.Config.Core.V3;
using Envoy.Extensions.Compression.Brotli.Compressor.V3;
using Envoy.Extensions.Compression.Gzip.Compressor.V3;
using Envoy.Extensions.Filters.Http.Compressor.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Weft.Model.Plan;

namespace Weft.Wire.Plans;

/// <summary>Compression of answers ⇄ Envoy's <c>compressor</c> filter.</summary>
internal static class Compressors
{
    private const int MostQuality = 11;
    private const int MaxTypes = 64;

    private static readonly MessageParser<Compressor> _parser = Compressor.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Gzip> _gzip = Gzip.Parser.WithDiscardUnknownFields(true);
    private static readonly MessageParser<Brotli> _brotli = Brotli.Parser.WithDiscardUnknownFields(true);

    public static Compressor Encode(CompressorPlan plan)
    {
        var common = new Compressor.Types.CommonDirectionConfig { MinContentLength = (uint)plan.MinLength };
        common.ContentType.AddRange(plan.ContentTypes);
        return new Compressor
        {
            CompressorLibrary = new TypedExtensionConfig
            {
                Name = "compressor",
                TypedConfig = plan.Coding == ContentCoding.Gzip
                    ? Wrap.Any(TypeUrls.Gzip, new Gzip { CompressionLevel = (Gzip.Types.CompressionLevel)plan.Level })
                    : Wrap.Any(TypeUrls.Brotli, new Brotli { Quality = plan.Level == 0 ? null : (uint)plan.Level }),
            },
            ResponseDirectionConfig = new Compressor.Types.ResponseDirectionConfig
            {
                CommonConfig = common,
                DisableOnEtagHeader = plan.SparesTagged,
                RemoveAcceptEncodingHeader = plan.HidesAccepted,
            },
        };
    }

    public static CompressorPlan? Unpack(DecodeScope scope, Any any)
    {
        if (scope.Unpack(_parser, any, TypeUrls.Compressor) is not { } filter || Library(scope, filter.CompressorLibrary?.TypedConfig) is not { } library)
        {
            return null;
        }

        // The filter's own fields are the older way to say the same.
        var response = filter.ResponseDirectionConfig;
        var types = response?.CommonConfig?.ContentType is { Count: > 0 } newer ? newer : filter.ContentType;
        if (types.Count > MaxTypes)
        {
            scope.Error($"content_type: more than {MaxTypes} are not supported");
        }

        return new CompressorPlan(
            library.Coding,
            library.Level,
            scope.Count(response?.CommonConfig?.MinContentLength ?? filter.ContentLength ?? CompressorPlan.DefaultMinLength, "min_content_length"),
            types.Count == 0 ? CompressorPlan.DefaultTypes : [.. types.Take(MaxTypes).Select(type => type.ToLowerInvariant())])
        {
            SparesTagged = response?.DisableOnEtagHeader ?? filter.DisableOnEtagHeader,
            HidesAccepted = response?.RemoveAcceptEncodingHeader ?? filter.RemoveAcceptEncodingHeader,
        };
    }

    private static (ContentCoding Coding, int Level)? Library(DecodeScope scope, Any? any)
    {
        using var at = scope.At("compressor_library");
        switch (any?.TypeUrl)
        {
            case TypeUrls.Gzip when scope.Unpack(_gzip, any, TypeUrls.Gzip) is { } gzip:
                return (ContentCoding.Gzip, (int)gzip.CompressionLevel);
            case TypeUrls.Brotli when scope.Unpack(_brotli, any, TypeUrls.Brotli) is { } brotli:
                if (brotli.Quality > MostQuality)
                {
                    scope.Error($"quality {brotli.Quality} is more than {MostQuality}");
                }

                return (ContentCoding.Brotli, (int)Math.Min(brotli.Quality ?? 0, MostQuality));
            default:
                scope.Error($"{any?.TypeUrl ?? "nothing"} is not supported; gzip and brotli are");
                return null;
        }
    }
}
