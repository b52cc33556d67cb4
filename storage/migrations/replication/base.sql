(SELECT base FROM twinstore.capture WHERE dataset = {dataset})
