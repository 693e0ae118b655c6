import { MemoryChannelLayer } from "@sluice/sluice/layers";
import { testChannelLayer } from "@sluice/sluice/testing";

testChannelLayer("MemoryChannelLayer", (options) => new MemoryChannelLayer(options));
